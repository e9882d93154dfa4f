import { describe, expect, it } from 'vitest';
import { TornDisk, TornEngine } from '../../../../../test/sim/torn-engine.ts';
import { Bodies } from './bodies.ts';
import { bodyKey, KEY, queueKey, receivedKey, sessionKeyOf, subscriptionKey } from './keys.ts';
import { SessionNumbers } from './sessions.ts';
import { sweepEnded } from './sweep.ts';

async function world() {
  const disk = new TornDisk();
  const engine = new TornEngine(disk, { defer: setImmediate, oneIn: () => false });
  await engine.open();
  const sessions = new SessionNumbers();
  const value = Uint8Array.of(1);
  const of = (session: number) => [
    sessionKeyOf(KEY.session, session),
    subscriptionKey(session, new TextEncoder().encode('a/b')),
    receivedKey(session, 9),
    sessionKeyOf(KEY.will, session),
    ...Array.from({ length: 600 }, (_, seq) => queueKey(session, seq + 1)),
  ];
  for (const session of [1, 2, 3]) await engine.write(of(session).map((key) => ({ key, value })));
  const count = (session: number): number => of(session).filter((key) => engine.get(key) !== undefined).length;
  return { disk, engine, sessions, count };
}

describe('sweeping', () => {
  it('removes all that a session left, over several pages, and nothing of its neighbours', async () => {
    const { engine, sessions, count } = await world();
    sessions.ended.add(2);
    await sweepEnded(engine, sessions, new Bodies(), () => true);
    // Its own record is removed by whoever ends it.
    expect([count(1), count(2), count(3)]).toEqual([604, 1, 604]);
    expect(sessions.ended.size).toBe(0);
  });

  it('that is told to stop, or fails, goes on another time where it was', async () => {
    const { disk, engine, sessions, count } = await world();
    sessions.ended.add(2);
    let pages = 0;
    await sweepEnded(engine, sessions, new Bodies(), () => pages++ < 7);
    expect(count(2)).toBeGreaterThan(1);
    expect(sessions.ended.has(2)).toBe(true);
    disk.fault = new Error('no space left on device');
    await expect(sweepEnded(engine, sessions, new Bodies(), () => true)).rejects.toThrow('no space left');
    disk.fault = undefined;
    await sweepEnded(engine, sessions, new Bodies(), () => true);
    expect([count(1), count(2), count(3)]).toEqual([604, 1, 604]);
  });

  it('removes a body with the last copy that referred to it, and gets past a damaged copy', async () => {
    const { engine, sessions } = await world();
    const { encodeQueued } = await import('./records.ts');
    const { seal } = await import('./seal.ts');
    const bodies = new Bodies();
    const body = { topicBytes: new Uint8Array(1), payload: new Uint8Array(1), properties: new Uint8Array(0) };
    const entry = { message: body, qos: 1, retain: false, subscriptionIds: [], share: '', queuedAtMs: 1 };
    for (const [session, number] of [
      [2, 50],
      [2, 51],
      [3, 51],
    ] as const) {
      const key = queueKey(session, 1_000 + number);
      bodies.found(number);
      await engine.write([
        { key, value: seal(key, encodeQueued({ ...entry, seq: 1_000 + number } as never, number)) },
        { key: bodyKey(number), value: Uint8Array.of(1) },
      ]);
    }
    sessions.ended.add(2);
    await sweepEnded(engine, sessions, bodies, () => true);
    expect(engine.get(bodyKey(50))).toBeUndefined();
    expect(engine.get(bodyKey(51))).toBeDefined();
  });
});
