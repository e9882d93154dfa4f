import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it } from 'vitest';
import { message, session, subscription } from '../../../../../test/contract/store-fixtures.ts';
import type { OpenedSession, Store } from '../../ports/store.ts';
import { ClassicEngine } from './classic-engine.ts';
import { openLevelStore } from './open.ts';

const folder = mkdtempSync(join(tmpdir(), 'motte-load-'));
afterAll(() => rmSync(folder, { recursive: true }));

function open(): Promise<Store> {
  return openLevelStore(new ClassicEngine(folder), {
    lingerMs: 1,
    defer: setImmediate,
    after: (ms, run) => void setTimeout(run, ms),
    nowMs: Date.now,
  });
}

function listed(store: Store): Promise<readonly OpenedSession[]> {
  return new Promise((resolve, reject) => {
    store.listSessions((all, fault) => (fault === undefined ? resolve(all) : reject(fault)));
  });
}

it('what is kept of a session holds no file in memory, whether it was read from a log or a table', async () => {
  const first = await open();
  first.stage({ kind: 'session', session: session('pump') }, true);
  first.stage({ kind: 'subscribe', key: 'pump', subscription: subscription('plant/#') }, true);
  first.stage({ kind: 'receive', key: 'pump', packetId: 7, message: message('plant/1', 'owed') }, true);
  const will = { message: message('plant/2', 'gone'), delaySeconds: 1, expirySeconds: -1 };
  first.stage({ kind: 'will', key: 'pump', will }, true);
  // As much again as the two of them together, many times over.
  for (let n = 0; n < 100; n++) first.stage({ kind: 'retain', message: message(`plant/r${n}`, 'x'.repeat(200)) }, true);
  await first.close();
  for (const place of ['log', 'table']) {
    const store = await open();
    const [pump] = await listed(store);
    await store.close();
    expect(pump?.subscriptions.map(({ filter }) => filter)).toEqual(['plant/#']);
    const kept = [pump?.received.get(7), pump?.will?.message];
    expect(kept.map((one) => new TextDecoder().decode(one?.payload))).toEqual(['owed', 'gone']);
    for (const one of kept) expect(one?.payload.buffer.byteLength, place).toBeLessThan(200);
  }
});
