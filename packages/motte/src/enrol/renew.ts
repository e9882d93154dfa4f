// Renewal on the device: over mTLS, with a new key that the old one vouches for. Files are replaced one by one, each as a
// whole; what was cut off is finished by the next run, and the old pair stays beside the new one as .old.

import {
  createHash,
  createPrivateKey,
  createPublicKey,
  generateKeyPairSync,
  type KeyObject,
  sign,
  X509Certificate,
} from 'node:crypto';
import {
  closeSync,
  existsSync,
  fsyncSync,
  linkSync,
  openSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  writeSync,
} from 'node:fs';
import { join } from 'node:path';
import { MotteError } from '@motte/admin/errors';
import { RENEW_AT } from '@motte/pki';
import { deviceNameOf, renewalText } from '@motte/pki/protocol';
import { said } from '../data/said.ts';
import { fetchRoots, fingerprintOf, post, splitPem } from './exchange.ts';
import { readIssued } from './issued.ts';
import { readPlace } from './place.ts';

export interface Renewal {
  readonly directory: string;
  /** Where; undefined = where it was enrolled. */
  readonly url: string | undefined;
  /** Also before it is due. */
  readonly force: boolean;
  readonly nowMs: number;
}

export type Renewed =
  | { readonly state: 'renewed'; readonly name: string; readonly notAfter: string; readonly written: readonly string[] }
  | { readonly state: 'not-due'; readonly name: string; readonly dueAt: string; readonly notAfter: string };

/** Throws MOT-0605, MOT-0642 to MOT-0646. */
export async function renewHere({ directory, url: given, force, nowMs }: Renewal): Promise<Renewed> {
  const name = nameIn(directory);
  const path = (end: string) => join(directory, `${name}.${end}`);
  try {
    finishSwap(path);
    const leaf = new X509Certificate(readFileSync(path('crt')));
    const notAfter = new Date(leaf.validTo).toISOString();
    const dueMs = dueAtMs(leaf);
    const url = given ?? readPlace(directory, name);
    const ca = readFileSync(join(directory, 'ca.crt'), 'utf8');
    const isDue = force || nowMs >= dueMs || (url !== undefined && (await isCaReplaced(url, ca)));
    if (!isDue) return { state: 'not-due', name, dueAt: new Date(dueMs).toISOString(), notAfter };
    if (url === undefined) throw new MotteError('MOT-0646', `${directory} does not say where ${name} was enrolled`);
    const { createCsr } = await import('@motte/pki');
    const [cert, old] = [leaf.toString(), readFileSync(path('key'), 'utf8')];
    const key = nextKey(path('key.new'));
    const csr = await createCsr(name, key, { type: 'ec' });
    const proof = sign('sha256', Buffer.from(renewalText(csr)), createPrivateKey(old)).toString('base64');
    const answer = await post(url, '/renew', { csr, proof }, { ca, cert, key: old });
    const issued = readIssued(answer, { url, ca, key, name });
    // First: what it adds to what is trusted may be what the broker shows next.
    writeNew(join(directory, 'ca.crt.new'), issued.ca, 0o644);
    renameSync(join(directory, 'ca.crt.new'), join(directory, 'ca.crt'));
    writeNew(path('crt.new'), issued.certificate, 0o644);
    finishSwap(path);
    const written = ['crt', 'key', 'crt.old', 'key.old'].map(path);
    return { state: 'renewed', name, notAfter: issued.notAfter, written };
  } catch (fault) {
    if (!(fault instanceof Error) || (fault as NodeJS.ErrnoException).syscall === undefined) throw fault;
    throw new MotteError('MOT-0605', `${directory}: ${said(fault)}`, { cause: fault });
  }
}

/**
 * Whether the broker trusts a CA that the device does not know. It is asked over a connection that the known CA vouches for, and its
 * answer only brings the renewal forward: nothing of it is trusted or kept. Whoever cannot be asked says no.
 */
async function isCaReplaced(url: string, ca: string): Promise<boolean> {
  try {
    const known = new Set(splitPem(ca).map(fingerprintOf));
    return (await fetchRoots(url, ca)).some((root) => !known.has(fingerprintOf(root)));
  } catch {
    return false;
  }
}

/** At two thirds of its life, each certificate a little earlier or later, but the same one always at the same time. */
export function dueAtMs(leaf: Pick<X509Certificate, 'validFrom' | 'validTo' | 'raw'>): number {
  const [from, to] = [Date.parse(leaf.validFrom), Date.parse(leaf.validTo)];
  const chance = createHash('sha256').update(leaf.raw).digest().readUInt32BE(0) / 2 ** 32;
  return from + (to - from) * (RENEW_AT.share + RENEW_AT.jitter * (2 * chance - 1));
}

/** Puts a new pair in place of the old one, wherever it was interrupted before. */
function finishSwap(path: (end: string) => string): void {
  if (!existsSync(path('crt.new'))) return;
  const keyFile = existsSync(path('key.new')) ? 'key.new' : 'key';
  if (!fits(path('crt.new'), path(keyFile))) {
    // Half of it was written.
    return rmSync(path('crt.new'));
  }
  if (keyFile === 'key.new') {
    for (const end of ['crt', 'key']) {
      rmSync(path(`${end}.old`), { force: true });
      linkSync(path(end), path(`${end}.old`));
    }
    renameSync(path('key.new'), path('key'));
  }
  renameSync(path('crt.new'), path('crt'));
}

function fits(certificate: string, key: string): boolean {
  try {
    const { publicKey } = new X509Certificate(readFileSync(certificate));
    return publicKey.equals(createPublicKey(createPrivateKey(readFileSync(key))));
  } catch {
    return false;
  }
}

/** The one device whose files are there. */
function nameIn(directory: string): string {
  let files: string[];
  try {
    files = readdirSync(directory);
  } catch (fault) {
    throw new MotteError('MOT-0646', `${directory}: ${said(fault)}`, { cause: fault });
  }
  const names = files
    .filter((file) => file.endsWith('.crt') && files.includes(`${file.slice(0, -4)}.key`))
    .map((file) => file.slice(0, -4));
  const [name] = names;
  if (name === undefined || names.length > 1 || !files.includes('ca.crt')) {
    throw new MotteError('MOT-0646', `${directory} holds ${names.length === 0 ? 'no device' : names.join(', ')}`);
  }
  let certified: string | undefined;
  try {
    certified = deviceNameOf(new X509Certificate(readFileSync(join(directory, `${name}.crt`))));
  } catch {
    // Not a certificate.
  }
  if (certified !== name)
    throw new MotteError('MOT-0646', `${join(directory, `${name}.crt`)} is not the device ${name}`);
  return name;
}

/** Kept until it is certified: somebody may have to approve it first, and then the same key has to ask. */
function nextKey(file: string): KeyObject {
  if (existsSync(file)) {
    const kept = readFileSync(file);
    try {
      return createPrivateKey(kept);
    } catch {
      // Half of it was written, so it was never asked for.
      rmSync(file);
    }
  }
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  writeNew(file, privateKey.export({ type: 'pkcs8', format: 'pem' }).toString(), 0o600);
  return privateKey;
}

function writeNew(path: string, text: string, mode: number): void {
  const file = openSync(path, 'w', mode);
  try {
    writeSync(file, text);
    fsyncSync(file);
  } finally {
    closeSync(file);
  }
}
