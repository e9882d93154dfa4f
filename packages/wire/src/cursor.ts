// Reads the data types of 1.5 out of one packet, byte by byte and never past its end. Used wherever a packet becomes an object.

import { malformed } from './peer-error.ts';
import { readText } from './text.ts';

export class Cursor {
  readonly buffer: Uint8Array;
  at: number;
  end: number;

  constructor(buffer: Uint8Array, at: number, end: number) {
    this.buffer = buffer;
    this.at = at;
    this.end = end;
  }

  get left(): number {
    return this.end - this.at;
  }

  byte(): number {
    if (this.at >= this.end) throw malformed('1.5.1', 'the packet ends where a byte is due');
    return this.buffer[this.at++] as number;
  }

  uint16(): number {
    if (this.at + 2 > this.end) throw malformed('1.5.2', 'the packet ends inside a two byte integer');
    const { buffer, at } = this;
    this.at = at + 2;
    return ((buffer[at] as number) << 8) | (buffer[at + 1] as number);
  }

  uint32(): number {
    if (this.at + 4 > this.end) throw malformed('1.5.3', 'the packet ends inside a four byte integer');
    const high = this.uint16();
    return high * 0x10000 + this.uint16();
  }

  /** A variable byte integer (1.5.5): at most four bytes, and the shortest form. */
  varint(): number {
    let value = 0;
    for (let shift = 0; shift < 28; shift += 7) {
      if (this.at >= this.end) throw malformed('1.5.5', 'the packet ends inside a variable byte integer');
      const byte = this.buffer[this.at++] as number;
      value |= (byte & 0x7f) << shift;
      if (byte < 0x80) {
        if (byte === 0 && shift > 0) {
          throw malformed('MQTT-1.5.5-1', 'a variable byte integer takes more bytes than it needs');
        }
        return value;
      }
    }
    throw malformed('1.5.5', 'a variable byte integer takes more than four bytes');
  }

  text(): string {
    const length = this.uint16();
    if (length > this.left) throw malformed('1.5.4', 'a string is longer than the packet');
    this.at += length;
    return readText(this.buffer, this.at - length, this.at);
  }

  /** Length-prefixed binary data (1.5.6), as a view of the packet. */
  binary(): Uint8Array {
    const length = this.uint16();
    if (length > this.left) throw malformed('1.5.6', 'binary data is longer than the packet');
    this.at += length;
    return this.buffer.subarray(this.at - length, this.at);
  }

  /** All that is left, as a view of the packet. */
  rest(): Uint8Array {
    const start = this.at;
    this.at = this.end;
    return this.buffer.subarray(start, this.end);
  }

  /** Throws PeerError if the packet goes on where its content has ended. */
  finish(): void {
    if (this.at !== this.end) throw malformed('2.1.4', `the packet is ${this.left} bytes longer than its content`);
  }
}
