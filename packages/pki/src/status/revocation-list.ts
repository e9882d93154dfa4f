// A revocation list of somebody else's CA (RFC 5280, 5): read, and believed only if one of the given CAs signed it, it is
// whole, and nothing in it changes what it means in a way that is not understood here. Says what it says; whether it is too
// old is for whoever keeps it. Long lists are read in pieces, so that nobody else waits.

import { setImmediate as nextTurn } from 'node:timers/promises';
import {
  bitsOf,
  contentOf,
  type Element,
  elementAt,
  elementsOf,
  expectTag,
  fewOf,
  oidText,
  serialText,
  TAG,
  timeOf,
} from './der.ts';
import { isSignedBy } from './signature.ts';
import type { StatusIssuer } from './status-issuer.ts';

export interface RevocationList {
  /** The CAs that it speaks for: several if a CA has several certificates of one name and key. */
  readonly issuers: readonly StatusIssuer[];
  /** Absent if the CA does not count its lists. */
  readonly number: bigint | undefined;
  readonly thisUpdateMs: number;
  readonly nextUpdateMs: number;
  /** By serial number, upper-case hexadecimal without leading zeros: true if its holder has another certificate instead. */
  readonly revoked: ReadonlyMap<string, boolean>;
}

/** The lists in a file: one in DER, or PEM one after the other. Throws an Error with one sentence. */
export function splitLists(file: Uint8Array): Uint8Array[] {
  if (file.length > LIST_BYTES_MAX) throw new Error(`it is larger than ${LIST_BYTES_MAX} bytes`);
  if (file.length === 0) throw new Error('it is empty');
  if (file[0] === TAG.sequence) return [file];
  const text = Buffer.from(file.buffer, file.byteOffset, file.length).toString('latin1');
  const blocks = [...text.matchAll(/-----BEGIN (?:X509 )?CRL-----([^-]*)-----END (?:X509 )?CRL-----/g)];
  if (blocks.length === 0) throw new Error('it holds no revocation list, neither in PEM nor in DER, or a part of one');
  if (blocks.length > LISTS_MAX) throw new Error(`it holds more than ${LISTS_MAX} revocation lists`);
  // What was cut off in the middle has a beginning and no end.
  if (text.split('-----BEGIN ').length - 1 !== blocks.length) throw new Error('a list in it is cut off');
  return blocks.map(([, body = '']) => Buffer.from(body, 'base64'));
}

/** Reads one list. Rejects with an Error of one sentence if it is no list of these CAs that can be relied upon. */
export async function readRevocationList(der: Uint8Array, issuers: readonly StatusIssuer[]): Promise<RevocationList> {
  const whole = expectTag(elementAt(der, 0, der.length), TAG.sequence);
  if (whole.to !== der.length) throw new Error('something follows the list');
  const [toBeSigned, algorithm, signature] = fewOf(der, whole, 3);
  const signed = expectTag(toBeSigned, TAG.sequence);
  const parts = partsOf(der, signed);
  const own = ownersOf(der, parts, issuers);
  if (!same(der, parts.algorithm, expectTag(algorithm, TAG.sequence))) throw new Error('it names two algorithms');
  const proof = {
    bytes: der.subarray(signed.at, signed.to),
    signature: bitsOf(der, signature),
    algorithm: der.subarray(parts.algorithm.at, parts.algorithm.to),
  };
  const signers = own.filter(({ key }) => isSignedBy(key, proof));
  const [first] = own;
  if (signers.length === 0) throw new Error(`it has the name of ${first?.name} and is not signed by it`);
  const may = signers.filter(({ maySignLists }) => maySignLists);
  if (may.length === 0) throw new Error(`${first?.name} may not sign revocation lists: its key usage lacks cRLSign`);
  const number = checkExtensions(der, parts.extensions);
  if (parts.nextUpdate === undefined) throw new Error('it does not say until when it is good (nextUpdate)');
  const [thisUpdateMs, nextUpdateMs] = [timeOf(der, parts.thisUpdate), timeOf(der, parts.nextUpdate)];
  if (nextUpdateMs <= thisUpdateMs) throw new Error('it ends before it begins');
  return { issuers: may, number, thisUpdateMs, nextUpdateMs, revoked: await readEntries(der, parts.entries) };
}

interface Parts {
  readonly algorithm: Element;
  readonly issuer: Element;
  readonly thisUpdate: Element;
  readonly nextUpdate: Element | undefined;
  readonly entries: Element | undefined;
  readonly extensions: Element | undefined;
}

function partsOf(der: Uint8Array, signed: Element): Parts {
  const rest = fewOf(der, signed, PARTS_MAX);
  // OpenSSL's own program makes lists of version 1 where nobody told it more; those have no extensions to be misread.
  const version = rest[0]?.tag === TAG.integer ? rest.shift() : undefined;
  const isTwo = version !== undefined && version.to - version.from === 1 && der[version.from] === 1;
  if (version !== undefined && !isTwo) throw new Error('it is a list of a version that is not known here');
  const algorithm = expectTag(rest.shift(), TAG.sequence);
  const issuer = expectTag(rest.shift(), TAG.sequence);
  const thisUpdate = rest.shift();
  if (thisUpdate === undefined) throw new Error('it does not say when it was made');
  const nextUpdate = rest[0]?.tag === TAG.utcTime || rest[0]?.tag === TAG.generalizedTime ? rest.shift() : undefined;
  const entries = rest[0]?.tag === TAG.sequence ? rest.shift() : undefined;
  const extensions = rest[0]?.tag === TAG.context0 ? rest.shift() : undefined;
  if (rest.length > 0 || (extensions !== undefined && !isTwo))
    throw new Error('something is in it that does not belong');
  return { algorithm, issuer, thisUpdate, nextUpdate, entries, extensions };
}

function ownersOf(der: Uint8Array, { issuer }: Parts, issuers: readonly StatusIssuer[]): StatusIssuer[] {
  const name = Buffer.from(der.subarray(issuer.at, issuer.to));
  const own = issuers.filter(({ subject }) => name.equals(subject));
  if (own.length > 0) return own;
  throw new Error(`it is the list of another CA than ${issuers.map((one) => one.name).join(' or ')}`);
}

/** The list's number. Throws for an extension that must be understood and is not, or that narrows what the list covers. */
function checkExtensions(der: Uint8Array, holder: Element | undefined): bigint | undefined {
  let number: bigint | undefined;
  if (holder === undefined) return number;
  for (const { id, isCritical, value } of extensionsOf(der, elementAt(der, holder.from, holder.to))) {
    const partial = PARTIAL.get(id);
    if (partial !== undefined) throw new Error(partial);
    if (id === CRL_NUMBER) {
      const integer = expectTag(elementAt(der, value.from, value.to), TAG.integer);
      if (integer.to - integer.from > NUMBER_BYTES_MAX) throw new Error('its number is longer than 20 bytes');
      number = BigInt(`0x${serialText(der, integer)}`);
    } else if (isCritical && id !== AUTHORITY_KEY) {
      throw new Error(`it has a critical extension that is not known here: ${id}`);
    }
  }
  return number;
}

async function readEntries(der: Uint8Array, entries: Element | undefined): Promise<Map<string, boolean>> {
  const revoked = new Map<string, boolean>();
  if (entries === undefined) return revoked;
  let count = 0;
  for (const entry of elementsOf(der, entries)) {
    if (++count > ENTRIES_MAX) throw new Error(`it has more than ${ENTRIES_MAX} entries`);
    if (count % ENTRIES_A_TURN === 0) await nextTurn();
    const [serial, when, extensions] = fewOf(der, expectTag(entry, TAG.sequence), 3);
    if (when === undefined) throw new Error('an entry of it does not say when');
    timeOf(der, when);
    revoked.set(serialText(der, serial), extensions !== undefined && isSuperseded(der, extensions));
  }
  return revoked;
}

function isSuperseded(der: Uint8Array, holder: Element): boolean {
  let superseded = false;
  for (const { id, isCritical, value } of extensionsOf(der, holder)) {
    if (id === REASON) {
      const code = expectTag(elementAt(der, value.from, value.to), TAG.enumerated);
      superseded = code.to - code.from === 1 && der[code.from] === SUPERSEDED;
    } else if (isCritical) throw new Error(`an entry of it has a critical extension that is not known here: ${id}`);
  }
  return superseded;
}

function* extensionsOf(der: Uint8Array, list: Element) {
  for (const extension of elementsOf(der, expectTag(list, TAG.sequence))) {
    const [id, ...rest] = fewOf(der, extension, 3);
    const value = expectTag(rest.at(-1), TAG.octetString);
    const [flag] = rest;
    const isCritical = rest.length > 1 && flag?.tag === TAG.boolean && der[flag.from] !== 0;
    yield { id: oidText(der, id), isCritical, value };
  }
}

function same(der: Uint8Array, one: Element, other: Element): boolean {
  return Buffer.from(contentOf(der, one)).equals(contentOf(der, other));
}

/** What a list holds beside this says less than all: 5.2.4, 5.2.5. */
const PARTIAL: ReadonlyMap<string, string> = new Map([
  ['2.5.29.27', 'it is a delta list, which names changes alone: give the complete one'],
  [
    '2.5.29.28',
    'it has an issuing distribution point, so it covers a part of the certificates alone: give the complete list',
  ],
]);
const CRL_NUMBER = '2.5.29.20';
const AUTHORITY_KEY = '2.5.29.35';
const REASON = '2.5.29.21';
const SUPERSEDED = 4;
/** RFC 5280, 5.1.2. */
const PARTS_MAX = 7;
/** RFC 5280, 5.2.3. */
const NUMBER_BYTES_MAX = 20;

/** Of a file: some two hundred thousand entries. */
export const LIST_BYTES_MAX = 8 * 1024 * 1024;
const LISTS_MAX = 16;
const ENTRIES_MAX = 200_000;
/** Some ten milliseconds. */
const ENTRIES_A_TURN = 1_000;
