// What node:crypto does not say of a certificate (RFC 5280): how far below a CA a path may go, what a key may be used for, which
// extensions must be understood, and how it was signed. Reads DER of a certificate that Node could parse; decides nothing.

export interface X509Extensions {
  /** pathLenConstraint of basicConstraints; infinite where there is none. */
  readonly pathLength: number;
  /** Undefined where the key may be used for anything. */
  readonly keyUsage: { readonly digitalSignature: boolean; readonly certificateSign: boolean } | undefined;
  /** Object identifiers of the critical extensions, as hexadecimal. */
  readonly critical: readonly string[];
  readonly hasNameConstraints: boolean;
  /** Object identifier of the signature's algorithm, as hexadecimal; of RSASSA-PSS that of its hash. */
  readonly signature: string;
}

/** Throws an Error for bytes that are no certificate. */
export function readExtensions(der: Uint8Array): X509Extensions {
  const [certificate] = elements(der, { tag: 0, from: 0, to: der.length });
  const [toBeSigned, algorithm] = elements(der, certificate);
  const signature = signatureOf(der, elements(der, algorithm));
  const holder = elements(der, toBeSigned).find(({ tag }) => tag === EXTENSIONS);
  let pathLength = Number.POSITIVE_INFINITY;
  let keyUsage: X509Extensions['keyUsage'];
  let hasNameConstraints = false;
  const critical: string[] = [];
  const [list] = holder === undefined ? [] : elements(der, holder);
  for (const extension of list === undefined ? [] : elements(der, list)) {
    const parts = elements(der, extension);
    const id = hex(der, parts[0]);
    // OpenSSL writes TRUE alone; anything else that is not zero means it too.
    if (parts[1]?.tag === BOOLEAN && der[parts[1].from] !== 0) critical.push(id);
    const [value] = elements(der, parts.at(-1));
    if (id === NAME_CONSTRAINTS) hasNameConstraints = true;
    if (id === KEY_USAGE && value !== undefined) {
      const bits = der[value.from + 1] ?? 0;
      keyUsage = { digitalSignature: (bits & 0x80) !== 0, certificateSign: (bits & 0x04) !== 0 };
    }
    if (id === BASIC_CONSTRAINTS) {
      const length = elements(der, value).find(({ tag }) => tag === INTEGER);
      if (length !== undefined) pathLength = Number(`0x${hex(der, length)}`);
    }
  }
  return { pathLength, keyUsage, critical, hasNameConstraints, signature };
}

/** RFC 4055, 3.1: the hash stands in the first parameter; where that is left out it is SHA-1. */
function signatureOf(der: Uint8Array, [name, parameters]: readonly Element[]): string {
  const id = hex(der, name);
  if (id !== RSASSA_PSS) return id;
  const given = parameters === undefined ? [] : elements(der, parameters);
  const hash = given.find(({ tag }) => tag === HASH);
  return hash === undefined ? SHA_1 : hex(der, elements(der, elements(der, hash)[0])[0]);
}

interface Element {
  readonly tag: number;
  readonly from: number;
  readonly to: number;
}

function elements(der: Uint8Array, within: Element | undefined): Element[] {
  if (within === undefined) throw new Error('not a certificate');
  const found: Element[] = [];
  for (let at = within.from; at < within.to; ) {
    const tag = der[at] ?? 0;
    let length = der[at + 1] ?? 0;
    let from = at + 2;
    if (length >= 0x80) {
      const count = length & 0x7f;
      if (count === 0 || count > 4) throw new Error('not a certificate');
      length = 0;
      for (const end = from + count; from < end; from++) length = length * 256 + (der[from] ?? 0);
    }
    if (from + length > within.to) throw new Error('not a certificate');
    found.push({ tag, from, to: from + length });
    at = from + length;
  }
  return found;
}

function hex(der: Uint8Array, element: Element | undefined): string {
  if (element === undefined) throw new Error('not a certificate');
  return Buffer.from(der.subarray(element.from, element.to)).toString('hex');
}

const BOOLEAN = 0x01;
const INTEGER = 0x02;
/** [3], constructed. */
const EXTENSIONS = 0xa3;
/** [0], constructed. */
const HASH = 0xa0;
const RSASSA_PSS = '2a864886f70d01010a';
const SHA_1 = '2b0e03021a';
const KEY_USAGE = '551d0f';
const BASIC_CONSTRAINTS = '551d13';
const NAME_CONSTRAINTS = '551d1e';
