import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { openAdmin } from './client.ts';

it('a broker that ends before it answers is said to be that, and that what was asked for may be done', async () => {
  const data = mkdtempSync(join(tmpdir(), 'motte-admin-'));
  mkdirSync(join(data, 'run'));
  const server = createServer((socket) => socket.once('data', () => socket.destroy()));
  onTestFinished(() => {
    server.close();
    rmSync(data, { recursive: true, force: true });
  });
  await new Promise<void>((resolve) => server.listen(join(data, 'run', 'admin.sock'), resolve));
  const policy = { text: 'roles: {}', file: 'p.yaml', by: 'ann', why: '', strict: false };
  await expect(openAdmin(data).applyPolicy(policy)).rejects.toMatchObject({
    code: 'MOT-0503',
    why: 'it ended before it had answered',
    remedy: expect.stringContaining('it may have been done all the same'),
  });
});
