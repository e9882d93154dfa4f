// HTTP upgrades to WebSocket (RFC 6455) for one listener, on sockets that came through TCP or TLS already. Owns what is
// asked of a request: path, Origin, subprotocol `mqtt` [MQTT-6.0.0-3]; answers everything else shortly and closes.

import { createServer, type IncomingMessage, type Server, type ServerResponse, STATUS_CODES } from 'node:http';
import type { Duplex } from 'node:stream';
import { type ServerOptions, type WebSocket, WebSocketServer } from 'ws';
import type { ListenerConfig } from '../ports/config.ts';
import type { Limits } from '../ports/limits.ts';
import { type Arrival, CLOSED, type TransportRefusal } from './arrivals.ts';
import { describeFirstBytes } from './first-bytes.ts';
import { WebSocketStream } from './web-socket-stream.ts';

export interface WebSocketDoorParts {
  readonly config: ListenerConfig;
  readonly limits: Limits;
  readonly opened: (arrival: Arrival, stream: Duplex) => void;
  /** The socket may still be sending the answer if `answering` is true. */
  readonly refused: (arrival: Arrival, refusal: TransportRefusal, answering: boolean) => void;
  /** A peer that was handed on already broke the framing. */
  readonly broken: (arrival: Arrival, because: string) => void;
}

interface Answer {
  readonly status: number;
  readonly refusal: Omit<TransportRefusal, 'seen'>;
}

export class WebSocketDoor {
  readonly #parts: WebSocketDoorParts;
  readonly #http: Server;
  readonly #webSockets: WebSocketServer;
  readonly #arrivals = new WeakMap<Duplex, Arrival>();

  constructor(parts: WebSocketDoorParts) {
    this.#parts = parts;
    // Never listens, so Node's own timeouts of requests do not run: the deadline of the arrival covers the upgrade.
    this.#http = createServer({ maxHeaderSize: HEADER_BYTES_MAX, insecureHTTPParser: false });
    this.#http.maxHeadersCount = HEADERS_MAX;
    this.#http.on('request', (request, response) => this.#answerRequest(request, response));
    this.#http.on('upgrade', (request, socket, head) => this.#upgrade(request, socket, head));
    this.#http.on('connect', (_request, socket) => this.#answer(socket, NOT_WEB_SOCKET));
    this.#http.on('clientError', (error, socket) => this.#notHttp(error, socket));
    // The library's declared types do not know `closeTimeout` yet.
    const options: ServerOptions & { readonly closeTimeout: number } = {
      noServer: true,
      clientTracking: false,
      perMessageDeflate: false,
      maxPayload: parts.limits.packetBytesMax,
      // Text frames are refused whole, whatever they hold.
      skipUTF8Validation: true,
      closeTimeout: parts.limits.closeDeadlineMs,
      handleProtocols: (offered) => SUBPROTOCOLS.find((name) => offered.has(name)) ?? false,
    };
    this.#webSockets = new WebSocketServer(options);
    this.#webSockets.on('wsClientError', (error, socket) =>
      this.#answer(socket, {
        status: 400,
        refusal: {
          reason: 'protocol-error',
          because: `not a WebSocket upgrade: ${error.message}`,
          rule: 'RFC 6455 4.2.1',
        },
      }),
    );
  }

  /** Takes a socket on which HTTP may now be spoken. */
  take(arrival: Arrival, socket: Duplex): void {
    this.#arrivals.set(socket, arrival);
    this.#http.emit('connection', socket);
    socket.resume();
  }

  #upgrade(request: IncomingMessage, socket: Duplex, head: Buffer): void {
    socket.on('error', ignore);
    const answer = checkUpgrade(request, this.#parts.config);
    if (answer !== undefined) this.#answer(socket, answer);
    else this.#webSockets.handleUpgrade(request, socket, head, (webSocket) => this.#opened(socket, webSocket));
  }

  #opened(socket: Duplex, webSocket: WebSocket): void {
    const arrival = this.#arrivals.get(socket);
    if (arrival === undefined) {
      webSocket.terminate();
      return;
    }
    const stream = new WebSocketStream(webSocket, socket, {
      unansweredBytesMax: this.#parts.limits.connectBytesMax * UNANSWERED_FACTOR,
      partialMessageDeadlineMs: this.#parts.limits.partialPacketDeadlineMs,
      broken: (because) => this.#parts.broken(arrival, because),
    });
    this.#parts.opened(arrival, stream);
  }

  #answerRequest(request: IncomingMessage, response: ServerResponse): void {
    const { socket } = request;
    const answer = pathOf(request) === this.#parts.config.path ? NOT_WEB_SOCKET : NO_SUCH_PATH;
    this.#refused(socket, answer);
    response.writeHead(answer.status, { ...HEADERS, ...(answer.status === 426 ? { Upgrade: 'websocket' } : {}) });
    response.end(`${STATUS_CODES[answer.status]}\n`, () => socket.destroySoon());
  }

  #answer(socket: Duplex, answer: Answer): void {
    this.#refused(socket, answer);
    const text = `${STATUS_CODES[answer.status]}\n`;
    const headers = Object.entries({ ...HEADERS, 'Content-Length': text.length });
    const lines = headers.map(([name, value]) => `${name}: ${value}\r\n`).join('');
    socket.once('finish', () => socket.destroy());
    socket.end(`HTTP/1.1 ${answer.status} ${STATUS_CODES[answer.status]}\r\n${lines}\r\n${text}`);
  }

  #refused(socket: Duplex, { status, refusal }: Answer): void {
    const arrival = this.#arrivals.get(socket);
    if (arrival !== undefined) this.#parts.refused(arrival, { ...refusal, seen: `HTTP status ${status}` }, true);
  }

  #notHttp(error: Error & { code?: string; rawPacket?: Buffer }, socket: Duplex): void {
    const arrival = this.#arrivals.get(socket);
    socket.destroy();
    // Without bytes it is the connection that failed, not the request.
    if (arrival === undefined || error.rawPacket === undefined) return;
    const because = `${describeFirstBytes(error.rawPacket)} where a WebSocket upgrade is due (${error.code ?? ''})`;
    this.#parts.refused(arrival, { reason: 'protocol-error', because, rule: 'RFC 6455 4.2.1', seen: CLOSED }, false);
  }
}

/** What is wrong with an upgrade request, or undefined. */
function checkUpgrade(request: IncomingMessage, config: ListenerConfig): Answer | undefined {
  if (pathOf(request) !== config.path) return NO_SUCH_PATH;
  const { origin } = request.headers;
  // A browser always says where its page is from, and sends the visitor's certificate along without asking.
  if (origin !== undefined && !config.origins.includes(origin)) {
    const because = `the origin ${printable(origin)} is not listed`;
    return { status: 403, refusal: { reason: 'not-authorized', because, rule: 'listeners.origins' } };
  }
  const offered = (request.headers['sec-websocket-protocol'] ?? '').split(',').map((name) => name.trim());
  if (!SUBPROTOCOLS.some((name) => offered.includes(name))) {
    const because = `the WebSocket subprotocol must be mqtt, not ${printable(offered.join(', ')) || 'absent'}`;
    return { status: 400, refusal: { reason: 'protocol-error', because, rule: 'MQTT-6.0.0-3' } };
  }
  return undefined;
}

function pathOf(request: IncomingMessage): string {
  return (request.url ?? '').split('?', 1)[0] as string;
}

/** Header values may hold bytes above 0x7f and be long; what is reported is neither. */
function printable(text: string): string {
  return text.slice(0, TEXT_SHOWN).replace(/[^ -~]/g, '?');
}

function ignore(): void {}

/** `mqttv3.1` is what clients of MQTT 3.1 ask for. */
const SUBPROTOCOLS: readonly string[] = ['mqtt', 'mqttv3.1'];
const HEADERS = { Connection: 'close', 'Content-Type': 'text/plain', 'Cache-Control': 'no-store' } as const;

const NOT_WEB_SOCKET: Answer = {
  status: 426,
  refusal: {
    reason: 'protocol-error',
    because: 'an HTTP request that is no WebSocket upgrade',
    rule: 'RFC 6455 4.2.1',
  },
};
const NO_SUCH_PATH: Answer = {
  status: 404,
  refusal: { reason: 'protocol-error', because: 'an HTTP request for another path', rule: 'listeners.url' },
};

const HEADER_BYTES_MAX = 8_192;
const HEADERS_MAX = 64;
/** A CONNECT and what a client sends behind it without waiting. */
const UNANSWERED_FACTOR = 4;
const TEXT_SHOWN = 100;
