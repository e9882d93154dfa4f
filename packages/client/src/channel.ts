// Packets over a transport: frames in, encoded packets out, and the one place where a connection ends.
// Knows nothing of sessions, acknowledgements or topics.

import {
  decodeFrom,
  encode,
  FrameReader,
  type Packet,
  PeerError,
  type ProtocolVersion,
  type Reason,
  reasonCode,
} from '@motte/wire';
import type { Closed } from './options.ts';
import type { Timers } from './timers.ts';
import type { Transport } from './transport.ts';

export interface ChannelEvents {
  packet(packet: Packet): void;
  drained(): void;
  closed(how: Closed): void;
}

/** How long the server may take to close after us, before the transport is dropped. */
const CLOSE_DEADLINE_MS = 2_000;

export class Channel {
  readonly version: ProtocolVersion;
  /** Called whenever a packet was written: keep-alive starts over. */
  written: () => void = () => undefined;
  readonly #transport: Transport;
  readonly #events: ChannelEvents;
  readonly #timers: Timers;
  readonly #reader: FrameReader;
  #how: Closed | undefined;
  #gone = false;
  #congested = false;
  #cancelDeadline: () => void = () => undefined;

  constructor(
    transport: Transport,
    version: ProtocolVersion,
    packetBytesMax: number,
    timers: Timers,
    events: ChannelEvents,
  ) {
    this.version = version;
    this.#transport = transport;
    this.#events = events;
    this.#timers = timers;
    this.#reader = new FrameReader(packetBytesMax);
    transport.on('data', (chunk) => this.#receive(chunk));
    transport.on('drain', () => {
      this.#congested = false;
      events.drained();
    });
    transport.on('error', (error) => this.#lost(`the connection broke: ${error.message}`));
    transport.on('close', () => {
      this.#lost('the server closed the connection');
      this.#finish();
    });
  }

  /** False while the transport asks to wait, and once the connection is ending. */
  get ready(): boolean {
    return !this.#congested && this.#how === undefined;
  }

  send(packet: Packet): void {
    this.sendBytes(encode(packet, this.version));
  }

  sendBytes(bytes: Uint8Array): void {
    if (this.#how !== undefined) return;
    this.#congested = !this.#transport.write(bytes);
    this.written();
  }

  /** Remembers why and lets the transport send what it still has. */
  end(how: Closed): void {
    if (this.#how !== undefined) return;
    this.#how = how;
    this.#cancelDeadline = this.#timers.after(CLOSE_DEADLINE_MS, () => this.#transport.destroy());
    this.#transport.end();
  }

  /** Remembers why and drops the transport at once. */
  drop(how: Closed): void {
    this.#how ??= how;
    this.#transport.destroy();
  }

  /** Tells the server what it did wrong, where the version can, and closes [MQTT-4.13.1-1]. */
  reject(reason: Reason, message: string): void {
    if (this.version === 5) this.send({ type: 'disconnect', reasonCode: reasonCode(reason), properties: {} });
    this.end({ reason, code: undefined, byPeer: false, message });
  }

  #lost(message: string): void {
    this.#how ??= { reason: 'connection-lost', code: undefined, byPeer: true, message };
  }

  #finish(): void {
    if (this.#gone || this.#how === undefined) return;
    this.#gone = true;
    this.#cancelDeadline();
    this.#events.closed(this.#how);
  }

  #receive(chunk: Uint8Array): void {
    if (this.#how !== undefined) return;
    const reader = this.#reader;
    try {
      reader.push(chunk);
      while (this.#how === undefined && reader.next()) {
        const version = this.#isOldConnack() ? 4 : this.version;
        this.#events.packet(decodeFrom(reader.buffer, reader.start, reader.bodyStart, reader.end, version));
      }
    } catch (error) {
      if (!(error instanceof PeerError)) throw error;
      this.reject(error.reason, `the server broke the protocol: ${error.message} [${error.rule}]`);
    }
  }

  /** A server that does not know MQTT 5.0 refuses in the words of 3.1.1: a CONNACK of four bytes (3.2.2.3 there). */
  #isOldConnack(): boolean {
    const { framesRead, buffer, start, end } = this.#reader;
    return framesRead === 1 && end - start === 4 && buffer[start] === 0x20;
  }
}
