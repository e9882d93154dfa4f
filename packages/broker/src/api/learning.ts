// Watching an identity for rules that it needs: one request that lasts as long as the watch. A line now and then says that both
// ends are there and what was seen; the last line is the proposal. The watch ends with the connection.

import { Readable } from 'node:stream';
import { NewWatch, type Proposal, WatchEnded, type WatchLine, WatchQuery } from '@motte/admin/schemas';
import type { FastifyInstance } from 'fastify';
import type { AdminView } from '../ports/admin-view.ts';
import type { Lesson } from '../ports/learning.ts';

export function addLearningRoutes(app: FastifyInstance, view: AdminView): void {
  app.post<{ Body: NewWatch }>('/api/v1/policy/watches', { schema: { body: NewWatch } }, async ({ body }, reply) => {
    const lesson = view.learning.begin(body);
    // Not the end of the lines: that one waits for the next of them.
    reply.raw.once('close', () => lesson.abandon());
    return reply.type('application/x-ndjson').send(Readable.from(linesOf(lesson), { objectMode: false }));
  });

  app.delete<{ Querystring: WatchQuery }>(
    '/api/v1/policy/watches',
    { schema: { querystring: WatchQuery, response: { 200: WatchEnded } } },
    async ({ query: { identity } }): Promise<WatchEnded> => ({ format: 1, identity: view.learning.end(identity) }),
  );
}

async function* linesOf(lesson: Lesson): AsyncGenerator<string> {
  for (;;) {
    yield lineOf({ format: 1, seen: { ...lesson.seen } });
    let timer: NodeJS.Timeout | undefined;
    const pause = new Promise<undefined>((resolve) => {
      timer = setTimeout(() => resolve(undefined), LINE_MS);
    });
    const proposal = await Promise.race([lesson.done, pause]);
    clearTimeout(timer);
    if (proposal === undefined) continue;
    yield lineOf({ format: 1, proposal: proposal as Proposal });
    return;
  }
}

function lineOf(line: WatchLine): string {
  return `${JSON.stringify(line)}\n`;
}

/** Well below the time after which a silent connection is closed. */
const LINE_MS = 5_000;
