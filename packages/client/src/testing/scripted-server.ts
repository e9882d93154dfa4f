// For tests: the other end of a client, that says exactly what it is told to and shows what it got.

import { type Duplex, duplexPair } from 'node:stream';
import { decodeFrom, encode, FrameReader, type Packet, type ProtocolVersion } from '@motte/wire';
import type { Timers } from '../timers.ts';
import type { Transport } from '../transport.ts';

export class ScriptedServer {
  readonly version: ProtocolVersion;
  /** Everything the client sent and nobody asked for yet. */
  readonly received: Packet[] = [];
  ended = false;
  readonly #end: Duplex;
  readonly #reader = new FrameReader(1_000_000);
  readonly #client: Transport;

  constructor(version: ProtocolVersion = 5) {
    const [client, server] = duplexPair();
    this.version = version;
    this.#client = client;
    this.#end = server;
    server.on('data', (chunk: Uint8Array) => {
      this.#reader.push(chunk);
      while (this.#reader.next()) {
        const { buffer, start, bodyStart, end } = this.#reader;
        this.received.push(decodeFrom(buffer, start, bodyStart, end, this.version));
      }
    });
    server.on('end', () => {
      this.ended = true;
      server.end();
    });
  }

  readonly transport = (): Transport => this.#client;

  send(...packets: Packet[]): void {
    this.sendBytes(Buffer.concat(packets.map((packet) => encode(packet, this.version))));
  }

  sendBytes(bytes: Uint8Array): void {
    this.#end.write(bytes);
  }

  /** Ends the connection without a word. */
  hangUp(): void {
    this.#client.destroy();
  }

  /** The next packet from the client; fails if it is not of this type. */
  async next<T extends Packet['type']>(type: T): Promise<Extract<Packet, { type: T }>> {
    for (let turn = 0; this.received.length === 0 && turn < 50; turn++) await nextTurn();
    const packet = this.received.shift();
    if (packet?.type !== type) throw new Error(`expected ${type}, the client sent ${packet?.type ?? 'nothing'}`);
    return packet as Extract<Packet, { type: T }>;
  }
}

/** Lets everything that is under way in memory arrive. */
export async function settle(): Promise<void> {
  for (let turn = 0; turn < 20; turn++) await nextTurn();
}

function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Timers that run when told to. */
export class FakeTimers implements Timers {
  #now = 0;
  readonly #due = new Set<{ at: number; every: number; action: () => void }>();

  after(ms: number, action: () => void): () => void {
    return this.#add(ms, 0, action);
  }

  every(ms: number, action: () => void): () => void {
    return this.#add(ms, ms, action);
  }

  advance(ms: number): void {
    const until = this.#now + ms;
    for (;;) {
      const next = [...this.#due].filter((timer) => timer.at <= until).sort((a, b) => a.at - b.at)[0];
      if (next === undefined) break;
      this.#now = next.at;
      if (next.every > 0) next.at += next.every;
      else this.#due.delete(next);
      next.action();
    }
    this.#now = until;
  }

  #add(ms: number, every: number, action: () => void): () => void {
    const timer = { at: this.#now + ms, every, action };
    this.#due.add(timer);
    return () => this.#due.delete(timer);
  }
}
