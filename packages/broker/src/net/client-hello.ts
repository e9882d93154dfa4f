// Reads a TLS ClientHello (RFC 8446 4.1.2, RFC 5246 7.4.1.2) before any TLS object exists: over chunks and records of any
// size, in linear time, within a bound. Owns the parsing only; nothing is negotiated and nothing but these facts is trusted.

export interface ClientHello {
  /** Versions offered, such as 0x0304 for TLS 1.3. */
  readonly versions: readonly number[];
  readonly cipherSuites: readonly number[];
  readonly groups: readonly number[];
  /** Signature schemes; empty if the client names none, as TLS 1.2 lets it. */
  readonly signatures: readonly number[];
  readonly serverName: string | undefined;
  readonly alpn: readonly string[];
}

/** Why the bytes are not a ClientHello that is taken; `tls` is false if they are no TLS at all. */
export interface NotClientHello {
  readonly tls: boolean;
  readonly because: string;
}

/** Takes chunks as they come until it has a ClientHello or knows that there is none. */
export class ClientHelloReader {
  hello: ClientHello | undefined = undefined;
  refusal: NotClientHello | undefined = undefined;
  #bytesRead = 0;
  readonly #header = new Uint8Array(HEADER_BYTES);
  #headerBytes = 0;
  #recordLeft = 0;
  readonly #length = new Uint8Array(HANDSHAKE_HEADER_BYTES);
  #lengthBytes = 0;
  #body: Uint8Array | undefined = undefined;
  #bodyBytes = 0;

  /** True once `hello` or `refusal` is set. */
  push(chunk: Uint8Array): boolean {
    let at = 0;
    while (at < chunk.length && this.hello === undefined && this.refusal === undefined) {
      if (++this.#bytesRead > BYTES_MAX) this.#refuse(true, 'a ClientHello in more bytes than are taken');
      else if (this.#recordLeft > 0) at = this.#takePayload(chunk, at);
      else this.#takeHeaderByte(chunk[at++] as number);
    }
    return this.hello !== undefined || this.refusal !== undefined;
  }

  #takeHeaderByte(byte: number): void {
    const { length } = this.#header;
    this.#header[this.#headerBytes++] = byte;
    if (this.#headerBytes === 1 && byte !== HANDSHAKE_RECORD) this.#refuse(false, 'the first byte is not that of TLS');
    else if (this.#headerBytes === 2 && byte !== 3) this.#refuse(false, 'the second byte is not that of TLS');
    if (this.#headerBytes < length) return;
    this.#headerBytes = 0;
    this.#recordLeft = ((this.#header[3] as number) << 8) | (this.#header[4] as number);
    if (this.#recordLeft === 0 || this.#recordLeft > RECORD_BYTES_MAX) {
      this.#refuse(true, `a TLS record of ${this.#recordLeft} bytes`);
    }
  }

  #takePayload(chunk: Uint8Array, at: number): number {
    if (this.#body === undefined) {
      this.#recordLeft -= 1;
      this.#takeLengthByte(chunk[at] as number);
      return at + 1;
    }
    const count = Math.min(this.#recordLeft, chunk.length - at, this.#body.length - this.#bodyBytes);
    this.#body.set(chunk.subarray(at, at + count), this.#bodyBytes);
    this.#bodyBytes += count;
    this.#recordLeft -= count;
    // One was counted when the loop came here.
    this.#bytesRead += count - 1;
    if (this.#bodyBytes === this.#body.length) this.#finish(this.#body);
    return at + count;
  }

  #takeLengthByte(byte: number): void {
    this.#length[this.#lengthBytes++] = byte;
    if (this.#lengthBytes === 1 && byte !== CLIENT_HELLO)
      this.#refuse(true, `TLS handshake message ${byte} comes first`);
    if (this.#lengthBytes < this.#length.length) return;
    const [, high = 0, middle = 0, low = 0] = this.#length;
    const bytes = (high << 16) | (middle << 8) | low;
    if (bytes < BODY_BYTES_MIN || bytes > BODY_BYTES_MAX) this.#refuse(true, `a ClientHello of ${bytes} bytes`);
    else this.#body = new Uint8Array(bytes);
  }

  #finish(body: Uint8Array): void {
    const hello = parseClientHello(body);
    if (typeof hello === 'string') this.#refuse(true, hello);
    else this.hello = hello;
  }

  #refuse(tls: boolean, because: string): void {
    this.refusal = { tls, because };
  }
}

/** Parses the body of a ClientHello (without record and handshake headers); a string says what is wrong with it. */
export function parseClientHello(body: Uint8Array): ClientHello | string {
  const all = new Field(body, 0, body.length);
  const legacyVersion = all.uint(2);
  all.skip(RANDOM_BYTES);
  all.vector(1);
  const cipherSuites = all.vector(2).uint16s();
  all.vector(1);
  const found = {
    versions: [legacyVersion],
    groups: [] as number[],
    signatures: [] as number[],
    serverName: '',
    alpn: [] as string[],
  };
  if (all.left > 0) {
    const extensions = all.vector(2);
    while (extensions.left > 0 && !extensions.broken) {
      const type = extensions.uint(2);
      readExtension(type, extensions.vector(2), found);
      if (found.serverName !== '' && !SERVER_NAME.test(found.serverName)) return 'a server name that is not one';
    }
    if (extensions.broken) return 'a ClientHello whose extensions do not fit together';
  }
  if (all.broken) return 'a ClientHello whose lengths do not fit together';
  const { versions, groups, signatures, alpn } = found;
  const serverName = found.serverName === '' ? undefined : found.serverName;
  return { versions, cipherSuites, groups, signatures, serverName, alpn };
}

interface Extensions {
  versions: number[];
  groups: number[];
  signatures: number[];
  serverName: string;
  alpn: string[];
}

function readExtension(type: number, body: Field, found: Extensions): void {
  if (type === SUPPORTED_VERSIONS) found.versions = body.vector(1).uint16s();
  else if (type === SUPPORTED_GROUPS) found.groups = body.vector(2).uint16s();
  else if (type === SIGNATURE_ALGORITHMS) found.signatures = body.vector(2).uint16s();
  else if (type === SERVER_NAME_EXTENSION) {
    const names = body.vector(2);
    // The only kind of name there is: 0, a host name.
    if (names.uint(1) === 0) found.serverName = names.vector(2).text();
  } else if (type === ALPN) {
    const names = body.vector(2);
    while (names.left > 0 && !names.broken) found.alpn.push(names.vector(1).text());
  }
}

/** A length-bounded part of the message; reading past it marks it, and every field around it, as broken. */
class Field {
  broken = false;
  readonly #bytes: Uint8Array;
  readonly #parent: Field | undefined;
  #at: number;
  readonly #end: number;

  constructor(bytes: Uint8Array, at: number, end: number, parent?: Field) {
    this.#bytes = bytes;
    this.#at = at;
    this.#end = end;
    this.#parent = parent;
  }

  get left(): number {
    return this.#end - this.#at;
  }

  uint(size: 1 | 2): number {
    if (this.left < size) return this.#break();
    const first = this.#bytes[this.#at++] as number;
    return size === 1 ? first : (first << 8) | (this.#bytes[this.#at++] as number);
  }

  skip(size: number): void {
    if (this.left < size) this.#break();
    else this.#at += size;
  }

  /** A vector with a length prefix of this many bytes. */
  vector(prefix: 1 | 2): Field {
    const size = this.uint(prefix);
    const from = this.#at;
    this.skip(size);
    return this.broken ? new Field(this.#bytes, 0, 0, this) : new Field(this.#bytes, from, from + size, this);
  }

  uint16s(): number[] {
    const values: number[] = [];
    while (this.left > 0 && !this.broken) values.push(this.uint(2));
    return values;
  }

  /** One character per byte; not yet checked for what they are. */
  text(): string {
    if (this.left > TEXT_BYTES_MAX) this.#break();
    return String.fromCharCode(...this.#bytes.subarray(this.#at, this.#end));
  }

  #break(): 0 {
    this.#at = this.#end;
    this.#spoil();
    return 0;
  }

  #spoil(): void {
    this.broken = true;
    if (this.#parent !== undefined) this.#parent.#spoil();
  }
}

// RFC 8446 5.1, 4 and 4.2.
const HANDSHAKE_RECORD = 22;
const CLIENT_HELLO = 1;
const HEADER_BYTES = 5;
const HANDSHAKE_HEADER_BYTES = 4;
const RECORD_BYTES_MAX = 16_384;
const RANDOM_BYTES = 32;
const SERVER_NAME_EXTENSION = 0;
const SUPPORTED_GROUPS = 10;
const SIGNATURE_ALGORITHMS = 13;
const ALPN = 16;
const SUPPORTED_VERSIONS = 43;

// Ours. Real ones have 200 to 2,000 bytes, those with post-quantum shares among them.
const BODY_BYTES_MIN = 38;
const BODY_BYTES_MAX = 16_384;
/** With the headers of the records that it comes in. */
const BYTES_MAX = BODY_BYTES_MAX + 4_096;
const TEXT_BYTES_MAX = 255;
/** Host names, and the addresses that some clients wrongly put there: no control character gets any further. */
const SERVER_NAME = /^[\x21-\x7e]{1,255}$/;
