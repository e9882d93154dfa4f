// One WebSocket as a stream of MQTT bytes: frames may cut packets anywhere [MQTT-6.0.0-2]. Owns back-pressure in both
// directions and the rule that only binary frames are taken [MQTT-6.0.0-1]; framing itself is the library's.

import { Duplex } from 'node:stream';
import { WebSocket } from 'ws';

export interface WebSocketStreamParts {
  /** Bytes that are read before anything was answered: nothing big is kept for a peer that is not proven. */
  readonly unansweredBytesMax: number;
  /** Time a message has from its first bytes to its last, as a packet has on TCP. */
  readonly partialMessageDeadlineMs: number;
  /** Called once with what the peer did wrong; the stream ends by itself. */
  readonly broken: (because: string) => void;
}

export class WebSocketStream extends Duplex {
  readonly #socket: WebSocket;
  readonly #parts: WebSocketStreamParts;
  #faulty = false;
  #ended = false;
  /** True until something is written: a refusal, or the CONNACK of a peer that was proven. */
  #waiting = true;
  #unansweredBytes = 0;
  /** True once a message that holds bytes has come. */
  #heard = false;
  /** True while no more is read until something was answered. */
  #held = false;
  /** Bytes of a message that is not whole yet, frame headers included. */
  #partialBytes = 0;
  /** True from a message to the end of the chunk it was in. */
  #messaged = false;
  #deadline: NodeJS.Timeout | undefined;

  /** `raw` is the socket below, already upgraded. */
  constructor(socket: WebSocket, raw: Duplex, parts: WebSocketStreamParts) {
    super({ emitClose: true, autoDestroy: true });
    this.#socket = socket;
    this.#parts = parts;
    raw.on('data', this.#count);
    socket.on('message', (data, isBinary) => this.#message(data as Buffer, isBinary));
    // These may stand between the frames of a message.
    socket.on('ping', (data) => this.#controlled(data));
    socket.on('pong', (data) => this.#controlled(data));
    // The library refuses what breaks RFC 6455 and closes with the right code; `close` follows.
    socket.on('error', (error) => this.#break(error.message));
    socket.on('close', () => {
      this.#rest();
      this.#endReading();
      this.end();
    });
  }

  override _read(): void {
    if (!this.#socket.isPaused || this.#held) return;
    // The time we did not read is not the peer's.
    this.#deadline?.refresh();
    this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    if (this.#waiting) this.#answered();
    if (this.#socket.readyState !== WebSocket.OPEN) done();
    else this.#socket.send(chunk, BINARY, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#socket.close(NORMAL);
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#rest();
    this.#socket.terminate();
    done(error);
  }

  /** Runs behind the library, which has given all that the chunk completes. */
  readonly #count = (chunk: Buffer): void => {
    if (this.#waiting) this.#countUnanswered(chunk);
    // How much of a chunk follows its last message is not known; that is looked at with the next chunk.
    this.#partialBytes = this.#messaged ? 0 : this.#partialBytes + chunk.length;
    this.#messaged = false;
    if (this.#partialBytes <= 0) this.#rest();
    else if (!this.#faulty) {
      this.#deadline ??= setTimeout(() => this.#late(), this.#parts.partialMessageDeadlineMs).unref();
    }
  };

  #controlled(data: Buffer): void {
    this.#partialBytes -= CONTROL_HEADER_BYTES + data.length;
  }

  #rest(): void {
    if (this.#deadline === undefined) return;
    clearTimeout(this.#deadline);
    this.#deadline = undefined;
  }

  #late(): void {
    if (this.#socket.isPaused) {
      this.#deadline?.refresh();
      return;
    }
    this.#break(`a WebSocket message was not whole after ${this.#parts.partialMessageDeadlineMs} ms`);
    this.destroy();
  }

  /** Whoever sent a message, a CONNECT as a rule, waits for the answer; whoever sent none has no business with so much. */
  #countUnanswered(chunk: Buffer): void {
    this.#unansweredBytes += chunk.length;
    const { unansweredBytesMax } = this.#parts;
    if (this.#faulty || this.#unansweredBytes <= unansweredBytesMax) return;
    if (this.#heard) {
      this.#held = true;
      this.#socket.pause();
      return;
    }
    this.#refuse(MESSAGE_TOO_BIG, `its first WebSocket message has more than ${unansweredBytesMax} bytes`);
    this.destroy();
  }

  /** The limit of a message is from now on that of a packet. */
  #answered(): void {
    this.#waiting = false;
    if (!this.#held) return;
    this.#held = false;
    this.#socket.resume();
  }

  #message(data: Buffer, isBinary: boolean): void {
    this.#messaged = true;
    this.#rest();
    if (this.#faulty || this.#ended) return;
    if (!isBinary) this.#refuse(UNSUPPORTED_DATA, 'it sent a WebSocket text frame');
    else if (data.length > 0) {
      this.#heard = true;
      if (!this.push(data)) this.#socket.pause();
    }
  }

  #refuse(code: number, because: string): void {
    this.#break(because);
    this.#socket.close(code);
    this.#endReading();
  }

  #break(because: string): void {
    if (this.#faulty) return;
    this.#faulty = true;
    this.#parts.broken(because);
  }

  #endReading(): void {
    if (this.#ended) return;
    this.#ended = true;
    this.push(null);
  }
}

/** Of a ping or pong that a client sends (RFC 6455 5.2): two bytes and the mask. */
const CONTROL_HEADER_BYTES = 6;
const BINARY = { binary: true, compress: false } as const;

// RFC 6455 7.4.1.
const NORMAL = 1000;
const UNSUPPORTED_DATA = 1003;
const MESSAGE_TOO_BIG = 1009;
