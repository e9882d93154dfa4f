// One connection from bytes to the core and back, whatever transport it came by. Owns the frame reader, back-pressure
// and the one catch: nothing that a client's bytes can throw leaves this file.

import type { Duplex } from 'node:stream';
import { FrameReader, PACKET_TYPES, PeerError } from '@motte/wire';
import type { Client } from '../core/client.ts';
import type { Core } from '../core/core.ts';
import { receiveFrame } from '../core/dispatch.ts';
import { endClient, failClient } from '../core/end-client.ts';
import type { ConnectionFacts } from '../ports/connection-facts.ts';
import { type LinkOwner, StreamLink } from './link.ts';

class Connection implements LinkOwner {
  private readonly stream: Duplex;
  private readonly core: Core;
  private readonly client: Client;
  private readonly link: StreamLink;
  private readonly reader: FrameReader;
  private paused = false;
  private pumping = false;

  constructor(stream: Duplex, facts: ConnectionFacts, core: Core) {
    this.stream = stream;
    this.core = core;
    this.link = new StreamLink(stream, this, { highWaterBytes: core.limits.unsentBytesMax });
    this.client = core.attach(this.link, facts);
    this.reader = new FrameReader(this.client.frameBytesMax);
    stream.on('data', (chunk: Buffer) => this.receive(chunk));
    stream.on('end', () => this.ended());
    stream.on('close', () => this.closed());
    // What an error means is told by the close that follows it.
    stream.on('error', () => undefined);
  }

  run(step: () => void): void {
    try {
      step();
    } catch (thrown) {
      this.fail(thrown);
    }
  }

  pump(): void {
    if (this.pumping) return;
    this.pumping = true;
    this.run(() => this.readFrames());
    this.pumping = false;
    this.adjustFlow();
  }

  drained(): void {
    this.run(() => this.client.drained());
    this.pump();
  }

  /** While we do not read a peer, its reading is the sign of life that keep-alive asks for. */
  progressed(): void {
    if (this.paused) this.client.heardAtMs = this.core.monotonicMs;
  }

  closing(): void {
    const timer = setTimeout(() => this.stream.destroy(), this.core.limits.closeDeadlineMs);
    timer.unref();
    this.stream.once('close', () => clearTimeout(timer));
    // What was held back is discarded: behind it comes the end of a peer that closes its side.
    this.adjustFlow();
  }

  finished(): void {
    if (!this.stream.destroyed) this.stream.end();
  }

  private receive(chunk: Buffer): void {
    const { client, reader, core } = this;
    if (client.state === 'closed') return;
    core.counters.bytesReceived += chunk.length;
    if (reader.bytesRead === 0 && chunk.length > 0) this.run(() => checkFirstByte(chunk));
    reader.push(chunk);
    this.pump();
  }

  private readFrames(): void {
    const { client, reader } = this;
    if (client.fault !== undefined) throw client.fault;
    while (client.accepting) {
      reader.packetBytesMax = client.frameBytesMax;
      if (!reader.next()) break;
      client.heardAtMs = this.core.monotonicMs;
      // What follows in the same chunk is another packet, begun just now.
      client.partialSinceMs = 0;
      receiveFrame(client, reader.buffer, reader.start, reader.bodyStart, reader.end);
    }
    if (!reader.pending) client.partialSinceMs = 0;
    else if (client.accepting && client.partialSinceMs === 0) client.partialSinceMs = this.core.monotonicMs;
  }

  /** Stops reading the socket while frames must wait, and reads on when they need not. */
  private adjustFlow(): void {
    const wanted = this.client.accepting || this.client.state === 'closed';
    if (wanted === !this.paused) return;
    this.paused = !wanted;
    if (this.paused) {
      this.stream.pause();
      return;
    }
    // The time we did not read is not the peer's.
    if (this.client.partialSinceMs !== 0) this.client.partialSinceMs = this.core.monotonicMs;
    this.stream.resume();
  }

  private ended(): void {
    // The peer may still read what it is owed: our side ends once that is written.
    this.run(() => endClient(this.client, { reason: 'unspecified-error', byPeer: true, will: true }));
  }

  private closed(): void {
    this.link.discard();
    this.run(() => endClient(this.client, { reason: 'unspecified-error', byPeer: true, will: true }));
  }

  private fail(thrown: unknown): void {
    try {
      failClient(this.client, thrown, nameOf(this.reader));
    } catch (again) {
      this.core.reports.broken(undefined, again);
      this.stream.destroy();
    }
  }
}

/** Serves a connection from its first byte to its last; returns at once. */
export function openConnection(stream: Duplex, facts: ConnectionFacts, core: Core): void {
  new Connection(stream, facts, core);
}

/** A peer that begins with anything but CONNECT [MQTT-3.1.0-1] is not waited for until that is complete. */
function checkFirstByte(chunk: Uint8Array): void {
  if ((chunk[0] as number) >> 4 === PACKET_TYPES.connect) return;
  throw new PeerError('protocol-error', 'MQTT-3.1.0-1', 'the first packet is not a CONNECT');
}

const NAMES = new Map<number, string>(Object.entries(PACKET_TYPES).map(([name, type]) => [type, name]));

/** The packet that was being read, for the report of what was wrong with it. */
function nameOf(reader: FrameReader): string {
  return NAMES.get((reader.buffer[reader.start] ?? 0) >> 4) ?? 'unknown';
}
