// Everything wire takes from the host: the fast string reads and the cheap allocation of Node's Buffer, where there is one.
// With plain Uint8Arrays (a browser, a test) the same results come from plain loops.

interface HostBuffer extends Uint8Array {
  latin1Slice(start: number, end: number): string;
  utf8Slice(start: number, end: number): string;
}

interface HostBufferClass {
  allocUnsafe(length: number): Uint8Array;
  allocUnsafeSlow(length: number): Uint8Array;
}

const host = (globalThis as { Buffer?: HostBufferClass }).Buffer;

/** `length` bytes with unspecified content and a memory of their own: the caller overwrites every one. */
export function allocate(length: number): Uint8Array {
  return host === undefined ? new Uint8Array(length) : host.allocUnsafeSlow(length);
}

/** The same for what is soon gone: small ones are cut from a shared block, which the longest lived of them keeps alive. */
export function allocateBriefly(length: number): Uint8Array {
  return host === undefined ? new Uint8Array(length) : host.allocUnsafe(length);
}

/** A copy with a memory of its own; a Buffer's own `slice` copies nothing and keeps all that it was cut from. */
export function copyOf(bytes: Uint8Array): Uint8Array {
  const copy = allocate(bytes.length);
  copy.set(bytes);
  return copy;
}

/** A copy of the bytes between two offsets, for what is soon gone. */
export function copyBriefly(buffer: Uint8Array, start: number, end: number): Uint8Array {
  const copy = allocateBriefly(end - start);
  // Below this a loop is faster than the call into the engine.
  if (end - start < 128) for (let at = start; at < end; at++) copy[at - start] = buffer[at] as number;
  else copy.set(buffer.subarray(start, end));
  return copy;
}

/** Bytes that are known to be ASCII, as a string. */
export function asciiText(buffer: Uint8Array, start: number, end: number): string {
  if ((buffer as Partial<HostBuffer>).latin1Slice !== undefined) return (buffer as HostBuffer).latin1Slice(start, end);
  let text = '';
  for (let at = start; at < end; at += PIECE) {
    text += String.fromCharCode.apply(null, buffer.subarray(at, Math.min(at + PIECE, end)) as unknown as number[]);
  }
  return text;
}

/** Bytes that are known to be well-formed UTF-8, as a string; a byte order mark stays what it is. */
export function utf8Text(buffer: Uint8Array, start: number, end: number): string {
  if ((buffer as Partial<HostBuffer>).utf8Slice !== undefined) return (buffer as HostBuffer).utf8Slice(start, end);
  let text = '';
  let at = start;
  while (at < end) {
    const lead = buffer[at] as number;
    const size = lead < 0x80 ? 1 : lead < 0xe0 ? 2 : lead < 0xf0 ? 3 : 4;
    let point = size === 1 ? lead : lead & (0x7f >> size);
    for (let i = 1; i < size; i++) point = (point << 6) | ((buffer[at + i] as number) & 0x3f);
    text += String.fromCodePoint(point);
    at += size;
  }
  return text;
}

/** Arguments that one call of `String.fromCharCode` takes without harm on every engine. */
const PIECE = 4096;
