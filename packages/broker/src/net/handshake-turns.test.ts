import { describe, expect, it } from 'vitest';
import { FakeClock } from '../../../../test/harness/fake-clock.ts';
import { HandshakeTurns } from './handshake-turns.ts';

const nextTurn = () => new Promise<void>((resolve) => setImmediate(resolve));

/** Handshakes that take their time in the tick after they began, as Node's do. */
class Peers {
  /** Who began, turn by turn. */
  readonly turns: number[][] = [[]];
  readonly #clock = new FakeClock();
  readonly #handshakes = new HandshakeTurns(this.#clock);

  /** Says ClientHello, and lets the ticks pass that come before the bytes of the next one. */
  async say(peer: number, tookMs: number): Promise<void> {
    this.#handshakes.take(() => {
      this.turns.at(-1)?.push(peer);
      process.nextTick(() => this.#clock.advance(tookMs));
    });
    await new Promise<void>((resolve) => process.nextTick(resolve));
  }

  /** Lets turns pass until all have begun. */
  async begun(count: number): Promise<number[][]> {
    while (this.turns.flat().length < count) {
      await nextTurn();
      this.turns.push([]);
    }
    return this.turns.filter((turn) => turn.length > 0);
  }
}

describe('handshakes', () => {
  it.each([
    { tookMs: 1.5, turns: [[0, 1, 2], [3, 4, 5], [6]] },
    { tookMs: 4, turns: [[0], [1], [2], [3], [4], [5], [6]] },
    { tookMs: 300, turns: [[0], [1], [2], [3], [4], [5], [6]] },
  ])('of $tookMs ms begin in the order of their coming, as many in a turn as have room', async ({ tookMs, turns }) => {
    const peers = new Peers();
    for (let peer = 0; peer < 7; peer++) await peers.say(peer, tookMs);
    expect(await peers.begun(7)).toEqual(turns);
  });

  it('that come while others wait begin behind them, and after a rest as the first did', async () => {
    const peers = new Peers();
    for (let peer = 0; peer < 3; peer++) await peers.say(peer, 4);
    await peers.begun(2);
    await peers.say(3, 4);
    expect(await peers.begun(4)).toEqual([[0], [1], [2], [3]]);
    for (let turn = 0; turn < 3; turn++) await nextTurn();
    await peers.say(4, 4);
    expect(peers.turns.at(-1)).toEqual([4]);
  });

  it('leave nothing open once all have begun', async () => {
    const ports = (): number => process.getActiveResourcesInfo().filter((name) => name === 'MessagePort').length;
    const before = ports();
    const peers = new Peers();
    for (let peer = 0; peer < 5; peer++) await peers.say(peer, 4);
    await peers.begun(3);
    expect(ports()).toBeGreaterThan(before);
    await peers.begun(5);
    for (let turn = 0; turn < 5; turn++) await nextTurn();
    expect(ports()).toBe(before);
  });
});
