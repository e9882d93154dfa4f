// DER (X.690) as far as revocation lists and certificates need it, for lists of any length: the X.509 library refuses what has
// more nodes than it cares for, and a list of some ten thousand certificates has. Strict: definite, shortest lengths only.

export interface Element {
  readonly tag: number;
  /** Where its tag stands, where its content begins, and where it ends. */
  readonly at: number;
  readonly from: number;
  readonly to: number;
}

/** The element that begins at `at` and ends before `end`; throws an Error for anything else. */
export function elementAt(der: Uint8Array, at: number, end: number): Element {
  const tag = der[at];
  const first = der[at + 1];
  if (tag === undefined || first === undefined || at + 2 > end || (tag & 0x1f) === 0x1f) throw new Error(NO_DER);
  let [length, from] = [first, at + 2];
  if (first >= 0x80) {
    const count = first & 0x7f;
    if (count === 0 || count > LENGTH_BYTES_MAX) throw new Error(NO_DER);
    length = 0;
    for (const stop = from + count; from < stop; from++) length = length * 256 + (der[from] ?? 0);
    // Nothing longer than it has to be: else two files could say the same thing.
    if (length < 0x80 || length < 256 ** (count - 1)) throw new Error(NO_DER);
  }
  if (from + length > end) throw new Error(NO_DER);
  return { tag, at, from, to: from + length };
}

/** The elements within one, in order; it must be full to its end. */
export function* elementsOf(der: Uint8Array, { from, to }: Pick<Element, 'from' | 'to'>): Generator<Element> {
  for (let at = from; at < to; ) {
    const element = elementAt(der, at, to);
    yield element;
    at = element.to;
  }
}

/** Those of an element that has few: throws an Error for more than `max`, before they cost anything. */
export function fewOf(der: Uint8Array, within: Pick<Element, 'from' | 'to'>, max: number): Element[] {
  const found: Element[] = [];
  for (const element of elementsOf(der, within)) {
    if (found.length === max) throw new Error(NO_DER);
    found.push(element);
  }
  return found;
}

/** The element with this tag, or an Error that names what is missing. */
export function expectTag(element: Element | undefined, tag: number): Element {
  if (element?.tag !== tag) throw new Error(NO_DER);
  return element;
}

export function contentOf(der: Uint8Array, { from, to }: Element): Uint8Array {
  return der.subarray(from, to);
}

/** The bytes of a BIT STRING that is whole bytes, as signatures and keys are. */
export function bitsOf(der: Uint8Array, element: Element | undefined): Uint8Array {
  const bits = contentOf(der, expectTag(element, TAG.bitString));
  if (bits[0] !== 0) throw new Error(NO_DER);
  return bits.subarray(1);
}

/** An object identifier with dots. */
export function oidText(der: Uint8Array, element: Element | undefined): string {
  const bytes = contentOf(der, expectTag(element, TAG.oid));
  const parts: number[] = [];
  let value = 0;
  for (const byte of bytes) {
    value = value * 128 + (byte & 0x7f);
    if (value > Number.MAX_SAFE_INTEGER / 128) throw new Error(NO_DER);
    if (byte >= 0x80) continue;
    parts.push(value);
    value = 0;
  }
  const [head = 0, ...rest] = parts;
  const top = Math.min(Math.floor(head / 40), 2);
  return [top, head - top * 40, ...rest].join('.');
}

/** An INTEGER's bytes as upper-case hexadecimal without leading zeros, as serial numbers are compared. */
export function serialText(der: Uint8Array, element: Element | undefined): string {
  const { from, to } = expectTag(element, TAG.integer);
  return Buffer.from(der.buffer, der.byteOffset + from, to - from)
    .toString('hex')
    .toUpperCase()
    .replace(/^0+(?=.)/, '');
}

/** UTCTime or GeneralizedTime as RFC 5280 has them, to the second and in UTC; in ms. */
export function timeOf(der: Uint8Array, element: Element): number {
  const text = Buffer.from(contentOf(der, element)).toString('latin1');
  const digits = element.tag === TAG.utcTime ? (text < '5' ? `20${text}` : `19${text}`) : text;
  const parts = /^(\d{4})(\d{2})(\d{2})(\d{2})(\d{2})(\d{2})Z$/.exec(digits);
  if (parts === null || (element.tag !== TAG.utcTime && element.tag !== TAG.generalizedTime)) throw new Error(NO_DER);
  const [, year, month, day, hour, minute, second] = parts;
  const ms = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  if (Number.isNaN(ms)) throw new Error(NO_DER);
  return ms;
}

export const TAG = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  oid: 0x06,
  enumerated: 0x0a,
  utcTime: 0x17,
  generalizedTime: 0x18,
  sequence: 0x30,
  /** [0] and [3], constructed. */
  context0: 0xa0,
  context3: 0xa3,
} as const;

const LENGTH_BYTES_MAX = 4;
const NO_DER = 'it is not what it should be in DER, or is cut off';
