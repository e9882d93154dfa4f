// What stands behind RSASSA-PSS in an AlgorithmIdentifier (RFC 4055, 3.1). One form of it is taken: SHA-2, the same hash in the
// mask, a salt as long as the hash, and nothing else, which is what TLS 1.3 and whoever follows RFC 8017 make.

import { type Element, elementAt, expectTag, fewOf, oidText, serialText, TAG } from './der.ts';

export interface PssHash {
  readonly hash: 'sha256' | 'sha384' | 'sha512';
  /** In bytes. */
  readonly saltLength: number;
}

/** Throws an Error with one sentence for parameters that are not taken. */
export function parsePssHash(der: Uint8Array, parameters: Element | undefined): PssHash {
  const given = new Map<number, Element>();
  let last = 0;
  for (const one of fewOf(der, expectTag(parameters, TAG.sequence), PARAMETERS_MAX)) {
    if (one.tag <= last) throw new Error('the parameters of RSASSA-PSS in it are not in their order');
    last = one.tag;
    given.set(one.tag, within(der, one));
  }
  // What is left out says SHA-1, SHA-1 and 20.
  const hash = HASHES.get(hashOf(der, given.get(TAG.context0)));
  if (hash === undefined)
    throw new Error('it is signed by RSASSA-PSS with a hash that is none of SHA-256, 384 and 512');
  const [mask, maskHash] = partsOf(der, given.get(CONTEXT_1));
  if (mask === undefined || oidText(der, mask) !== MGF1 || HASHES.get(hashOf(der, maskHash)) !== hash)
    throw new Error('it is signed by RSASSA-PSS with a mask that is not MGF1 by the same hash');
  const salt = given.get(CONTEXT_2);
  if (salt === undefined || Number.parseInt(serialText(der, salt), 16) !== hash.saltLength)
    throw new Error(`it is signed by RSASSA-PSS with a salt that is not as long as the hash, ${hash.saltLength} bytes`);
  if ([...given.keys()].some((tag) => tag > CONTEXT_2))
    throw new Error('it is signed by RSASSA-PSS in a form that is not known here');
  return hash;
}

/** The one element that an explicit tag holds. */
function within(der: Uint8Array, { from, to }: Element): Element {
  const inner = elementAt(der, from, to);
  if (inner.to !== to) throw new Error('something follows a parameter of RSASSA-PSS');
  return inner;
}

/** An AlgorithmIdentifier's name and parameters. */
function partsOf(der: Uint8Array, algorithm: Element | undefined): Element[] {
  return algorithm === undefined ? [] : fewOf(der, expectTag(algorithm, TAG.sequence), 2);
}

/** The name of a hash, which may have NULL for parameters or none; empty for anything else. */
function hashOf(der: Uint8Array, algorithm: Element | undefined): string {
  const [name, parameters] = partsOf(der, algorithm);
  const isBare = parameters === undefined || (parameters.tag === NULL && parameters.from === parameters.to);
  return name === undefined || !isBare ? '' : oidText(der, name);
}

const HASHES: ReadonlyMap<string, PssHash> = new Map([
  ['2.16.840.1.101.3.4.2.1', { hash: 'sha256', saltLength: 32 }],
  ['2.16.840.1.101.3.4.2.2', { hash: 'sha384', saltLength: 48 }],
  ['2.16.840.1.101.3.4.2.3', { hash: 'sha512', saltLength: 64 }],
]);
const MGF1 = '1.2.840.113549.1.1.8';
const PARAMETERS_MAX = 4;
const NULL = 0x05;
const CONTEXT_1 = 0xa1;
const CONTEXT_2 = 0xa2;
