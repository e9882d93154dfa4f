import type { Socket } from 'node:net';
import { PassThrough } from 'node:stream';
import { describe, expect, it } from 'vitest';
import type { Pressure } from '../ports/pressure.ts';
import { type Door, Turnstile } from './turnstile.ts';

class TestDoor implements Door {
  /** Sockets let in, turn by turn. */
  readonly turns: Socket[][] = [[]];
  readonly away: Socket[] = [];

  letIn(socket: Socket): void {
    this.turns.at(-1)?.push(socket);
  }

  turnAway(socket: Socket): void {
    this.away.push(socket);
  }

  get counts(): number[] {
    return this.turns.map((turn) => turn.length).filter((count) => count > 0);
  }

  /** Lets turns of the event loop pass until nobody comes any more. */
  async rest(): Promise<void> {
    for (let idle = 0; idle < 5; ) {
      this.turns.push([]);
      await new Promise((resolve) => setImmediate(resolve));
      idle = this.turns.at(-1)?.length === 0 ? idle + 1 : 0;
    }
  }
}

function sockets(count: number): Socket[] {
  return Array.from({ length: count }, () => new PassThrough() as unknown as Socket);
}

function turnstileOf({ waitingMax = 1_000, isLate = false, hasRoom = (): boolean => true, underWay = 0 } = {}) {
  const pressure: Pressure = { stage: 0, isLate };
  return new Turnstile({ waitingMax, pressure, hasRoom, underWay: () => underWay });
}

describe('the turnstile', () => {
  it('lets a few in at once, and a storm of them turn by turn in the order of their arrival', async () => {
    const turnstile = turnstileOf();
    const door = new TestDoor();
    const all = sockets(200);
    for (const socket of all) turnstile.take(socket, door);
    expect(door.counts).toEqual([16]);
    expect(turnstile.waiting).toBe(184);
    await door.rest();
    expect(Math.max(...door.counts)).toBe(16);
    expect(door.turns.flat()).toEqual(all);
    expect([turnstile.waiting, door.away]).toEqual([0, []]);
  });

  it('who comes while others wait does not come before them', async () => {
    const turnstile = turnstileOf();
    const door = new TestDoor();
    const all = sockets(120);
    for (const socket of all.slice(0, 100)) turnstile.take(socket, door);
    await new Promise((resolve) => setImmediate(resolve));
    for (const socket of all.slice(100)) turnstile.take(socket, door);
    await door.rest();
    expect(door.turns.flat()).toEqual(all);
  });

  it('lets in fewer while the event loop is late', async () => {
    const turnstile = turnstileOf({ isLate: true });
    const door = new TestDoor();
    for (const socket of sockets(50)) turnstile.take(socket, door);
    await door.rest();
    expect(Math.max(...door.counts)).toBe(4);
    expect(door.turns.flat()).toHaveLength(50);
  });

  it('lets one at a time in while many handshakes are under way, however long they take', async () => {
    const turnstile = turnstileOf({ underWay: 1_000 });
    const door = new TestDoor();
    const all = sockets(30);
    for (const socket of all) turnstile.take(socket, door);
    await door.rest();
    expect(Math.max(...door.counts)).toBe(1);
    expect(door.turns.flat()).toEqual(all);
  });

  it('turns away who finds as many waiting as may, or no file left', async () => {
    const turnstile = turnstileOf({ waitingMax: 10 });
    const door = new TestDoor();
    const all = sockets(30);
    for (const socket of all) turnstile.take(socket, door);
    expect(door.away).toEqual(all.slice(26));
    await door.rest();
    expect(door.turns.flat()).toEqual(all.slice(0, 26));
    const full = turnstileOf({ hasRoom: () => false });
    const other = new TestDoor();
    for (const socket of sockets(20)) full.take(socket, other);
    expect(other.away).toHaveLength(4);
  });

  it('forgets who gave up, and all who wait for a door that closes', async () => {
    const turnstile = turnstileOf();
    const [one, two] = [new TestDoor(), new TestDoor()];
    const [mine, others] = [sockets(40), sockets(40)];
    for (const [at, socket] of mine.entries()) {
      turnstile.take(socket, one);
      turnstile.take(others[at] as Socket, two);
    }
    mine[20]?.destroy();
    turnstile.close(two);
    expect(others.slice(8).every((socket) => socket.destroyed)).toBe(true);
    await one.rest();
    expect(one.turns.flat()).toEqual(mine.filter((_, at) => at !== 20));
    expect(two.turns.flat()).toHaveLength(8);
  });
});
