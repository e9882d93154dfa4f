// The routes of watches: one request as long as the watch, which ends with whoever asked.

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MotteError, openAdmin } from '@motte/admin';
import { NewWatch } from '@motte/admin/schemas';
import { afterAll, afterEach, expect, it, vi } from 'vitest';
import type { AdminView } from '../ports/admin-view.ts';
import type { Learning, Lesson, Proposal } from '../ports/learning.ts';
import { WATCH_LIMITS } from '../ports/watch.ts';
import { createApp } from './app.ts';
import { type Served, serveSocket } from './serve.ts';

const PROPOSAL: Proposal = {
  identity: 'pump-1',
  ended: 'asked',
  seconds: 5,
  seen: { topics: 1, filters: 0, refusals: 0 },
  roles: ['wide'],
  role: 'learned-pump-1',
  rules: ['allow publish a'],
  denies: [],
  tests: ['pump-1 may publish a as learned-pump-1'],
  refused: [],
  unsaid: [],
  unkept: { publishes: 0, filters: 0, refusals: 0 },
  text: 'roles: {}\n',
};
const SEEN = { topics: 1, filters: 0, refusals: 0 };

/** A lesson that the test ends. */
function lessonOf() {
  let end = (_proposal: Proposal): void => {};
  let abandoned = (): void => {};
  const isAbandoned = new Promise<void>((resolve) => {
    abandoned = resolve;
  });
  const done = new Promise<Proposal>((resolve) => {
    end = resolve;
  });
  const lesson: Lesson = { seen: SEEN, done, abandon: () => abandoned() };
  return { lesson, isAbandoned, end: () => end(PROPOSAL) };
}

const data = mkdtempSync(join(tmpdir(), 'motte-learning-'));
mkdirSync(join(data, 'run'));
const path = join(data, 'run', 'admin.sock');
let served: Served | undefined;
const viewOf = (learning: Partial<Learning>) => ({ learning }) as unknown as AdminView;
async function serve(learning: Partial<Learning>): Promise<void> {
  served = await serveSocket(viewOf(learning), path);
}
afterEach(async () => {
  vi.useRealTimers();
  await served?.close();
  served = undefined;
});
afterAll(() => rmSync(data, { recursive: true, force: true }));

it('says at once that it watches, and has the proposal when it is asked to end', async () => {
  const { lesson, end } = lessonOf();
  const wanted: unknown[] = [];
  await serve({
    begin: (one) => {
      wanted.push(one);
      return lesson;
    },
    end: (identity) => {
      end();
      return identity;
    },
  });
  const admin = openAdmin(data);
  const lines: unknown[] = [];
  for await (const line of admin.watch({ identity: 'pump-1', seconds: 60 })) {
    lines.push(line);
    if (lines.length === 1) expect(await admin.endWatch('pump-1')).toEqual({ format: 1, identity: 'pump-1' });
  }
  expect(wanted).toEqual([{ identity: 'pump-1', seconds: 60 }]);
  expect(lines).toEqual([
    { format: 1, seen: SEEN },
    { format: 1, proposal: PROPOSAL },
  ]);
});

it('ends with whoever asked for it', async () => {
  const { lesson, isAbandoned } = lessonOf();
  await serve({ begin: () => lesson });
  for await (const line of openAdmin(data).watch({ identity: 'pump-1', seconds: 60 })) {
    expect(line).toEqual({ format: 1, seen: SEEN });
    break;
  }
  await isAbandoned;
});

it('says what was seen now and then, so that no end takes the other for gone', async () => {
  vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
  const { lesson, end } = lessonOf();
  await serve({ begin: () => lesson });
  const lines = openAdmin(data).watch({ identity: 'pump-1', seconds: 60 })[Symbol.asyncIterator]();
  await lines.next();
  const second = lines.next();
  await vi.waitUntil(() => vi.getTimerCount() > 0);
  await vi.advanceTimersByTimeAsync(5_000);
  expect(await second).toMatchObject({ value: { seen: SEEN } });
  end();
  expect(await lines.next()).toMatchObject({ value: { proposal: PROPOSAL } });
  expect(await lines.next()).toMatchObject({ done: true });
});

it.each([
  ['MOT-0910', 404],
  ['MOT-0911', 409],
] as const)('%s is status %i', async (code, status) => {
  const refuse = () => {
    throw new MotteError(code, 'pump-1');
  };
  const app = await createApp(viewOf({ begin: refuse, end: refuse }), { door: 'socket' });
  const url = '/api/v1/policy/watches';
  const payload = { identity: 'pump-1', seconds: 1 };
  const begun = await app.inject({ method: 'POST', url, payload });
  expect([begun.statusCode, begun.json()]).toMatchObject([status, { code }]);
  const ended = await app.inject({ method: 'DELETE', url: `${url}?identity=pump-1` });
  expect([ended.statusCode, ended.json()]).toMatchObject([status, { code }]);
});

it.each([
  ['nobody', { identity: '' }],
  ['a name without end', { identity: 'x'.repeat(641) }],
  ['no time', { seconds: 0 }],
  ['more time than there may be', { seconds: WATCH_LIMITS.secondsMax + 1 }],
  ['a key of its own', { apply: true }],
])('refuses %s, and watches nobody', async (_what, change) => {
  const app = await createApp(viewOf({}), { door: 'socket' });
  const payload = { identity: 'pump-1', seconds: 1, ...change };
  const answer = await app.inject({ method: 'POST', url: '/api/v1/policy/watches', payload });
  expect(answer.statusCode).toBe(400);
  expect(answer.json()).toMatchObject({ code: 'MOT-0504' });
});

it('takes as long a time as a watch may last', () => {
  expect(NewWatch.properties.seconds).toMatchObject({ maximum: WATCH_LIMITS.secondsMax });
});
