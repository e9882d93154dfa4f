// GET /api/v1/backup?id=: everything that is stored, as of one moment, as a stream of bytes. Behind the socket only, like
// all that is not health. What is in it is as readable as the files of the data directory: who asks encrypts it.

import { Readable } from 'node:stream';
import { BackupWriter } from '@motte/admin/backup';
import { MotteError } from '@motte/admin/errors';
import { BackupQuery } from '@motte/admin/schemas';
import type { FastifyInstance } from 'fastify';
import type { AdminView, BackupSource } from '../ports/admin-view.ts';

export function addBackupRoutes(app: FastifyInstance, view: AdminView): void {
  let underWay = false;
  app.get<{ Querystring: BackupQuery }>(
    '/api/v1/backup',
    { schema: { querystring: BackupQuery }, exposeHeadRoute: false },
    async (request, reply) => {
      // A snapshot keeps the database from giving back what was removed since: one at a time.
      if (underWay) throw new MotteError('MOT-0802', 'another one is under way');
      const source = view.openBackup();
      underWay = true;
      const body = Readable.from(bytesOf(view, source, request.query.id), { objectMode: false });
      body.once('close', () => {
        underWay = false;
        source.records.close().catch(() => undefined);
      });
      return reply.type('application/octet-stream').send(body);
    },
  );
}

async function* bytesOf(view: AdminView, source: BackupSource, id: string): AsyncGenerator<Buffer> {
  const { storeFormat, files, records } = source;
  const writer = new BackupWriter();
  const made = new Date().toISOString();
  yield writer.start({
    format: 1,
    id,
    motte: view.version,
    made,
    ca: view.authority().fingerprint,
    store: storeFormat,
  });
  for (const { name, content } of files) yield writer.file(name, content);
  for (let page = await records.next(); page.length > 0; page = await records.next()) yield writer.records(page);
  yield writer.end();
}
