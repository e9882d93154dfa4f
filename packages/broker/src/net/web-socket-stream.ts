// One WebSocket as a stream of MQTT bytes: frames may cut packets anywhere [MQTT-6.0.0-2]. Owns back-pressure in both
// directions and the rule that only binary frames are taken [MQTT-6.0.0-1]; framing itself is the library's.

import { Duplex } from 'node:stream';
import { WebSocket } from 'ws';

export interface WebSocketStreamParts {
  /** Bytes that may come before the first message is whole: nothing big is kept for a peer that is not proven. */
  readonly firstMessageBytesMax: number;
  /** Called once with what the peer did wrong; the stream ends by itself. */
  readonly broken: (because: string) => void;
}

export class WebSocketStream extends Duplex {
  readonly #socket: WebSocket;
  readonly #parts: WebSocketStreamParts;
  #faulty = false;
  #ended = false;

  /** `raw` is the socket below, already upgraded. */
  constructor(socket: WebSocket, raw: Duplex, parts: WebSocketStreamParts) {
    super({ emitClose: true, autoDestroy: true });
    this.#socket = socket;
    this.#parts = parts;
    this.#watchFirstMessage(raw);
    socket.on('message', (data, isBinary) => this.#message(data as Buffer, isBinary));
    // The library refuses what breaks RFC 6455 and closes with the right code; `close` follows.
    socket.on('error', (error) => this.#break(error.message));
    socket.on('close', () => {
      this.#endReading();
      this.end();
    });
  }

  override _read(): void {
    if (this.#socket.isPaused) this.#socket.resume();
  }

  override _write(chunk: Buffer, _encoding: BufferEncoding, done: (error?: Error | null) => void): void {
    if (this.#socket.readyState !== WebSocket.OPEN) done();
    else this.#socket.send(chunk, BINARY, done);
  }

  override _final(done: (error?: Error | null) => void): void {
    this.#socket.close(NORMAL);
    done();
  }

  override _destroy(error: Error | null, done: (error?: Error | null) => void): void {
    this.#socket.terminate();
    done(error);
  }

  #watchFirstMessage(raw: Duplex): void {
    const { firstMessageBytesMax } = this.#parts;
    let bytes = 0;
    let whole = false;
    const count = (chunk: Buffer): void => {
      bytes += chunk.length;
      if (whole || this.#faulty || bytes <= firstMessageBytesMax) return;
      this.#refuse(MESSAGE_TOO_BIG, `its first WebSocket message has more than ${firstMessageBytesMax} bytes`);
      this.destroy();
    };
    raw.on('data', count);
    this.#socket.once('message', () => {
      whole = true;
      raw.removeListener('data', count);
    });
  }

  #message(data: Buffer, isBinary: boolean): void {
    if (this.#faulty || this.#ended) return;
    if (!isBinary) this.#refuse(UNSUPPORTED_DATA, 'it sent a WebSocket text frame');
    else if (data.length > 0 && !this.push(data)) this.#socket.pause();
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

const BINARY = { binary: true, compress: false } as const;

// RFC 6455 7.4.1.
const NORMAL = 1000;
const UNSUPPORTED_DATA = 1003;
const MESSAGE_TOO_BIG = 1009;
