// The way out to one connected client. Core writes through it and never sees a socket.

import type { PublishTemplate } from '@motte/wire';

export interface Link {
  /** Copies the template into the outgoing buffer and patches packet identifier and topic alias (0 where it has none). */
  send(template: PublishTemplate, packetId: number, alias: number): void;
  /** Appends an encoded packet. */
  write(packet: Uint8Array): void;
  /** Appends a PUBACK (4), PUBREC (5), PUBREL (6) or PUBCOMP (7). */
  ack(type: 4 | 5 | 6 | 7, packetId: number, reasonCode: number): void;
  /** The version of CONNECT, set once it is known; decides how `ack` writes reason codes. */
  version: 3 | 4 | 5;
  /** Bytes that the peer has not taken yet. */
  readonly unsentBytes: number;
  /** True while `unsentBytes` is above the high-water mark; `Client.drained` is called when it is no longer. */
  readonly congested: boolean;
  /** Feeds the frames held back while `Client.accepting` was false. Asynchronous: the next turn. */
  resume(): void;
  /** Runs a step of this client outside of its own input, under its connection's one catch. */
  run(step: () => void): void;
  /** Sends what is buffered, then ends the connection; what the peer sends from now on is discarded. */
  close(): void;
}
