// Which CAs there are: the one that certifies devices, and while it is being replaced the one before it, which certifies the
// broker until the replacement is finished, because a device that has not moved knows no other root. Which directories these
// are says one small file, replaced by one rename: before it everything is as it was, after it everything is as it is to be.

import { X509Certificate } from 'node:crypto';
import { promises as fs } from 'node:fs';
import { join } from 'node:path';
import { readPrivateFile, syncDirectory, writePrivateFile } from '../private-files.ts';
import { AuthorityFault } from '../protocol/faults.ts';
import { type Ca, createCa, DIRECTORY, DRAFT, GENERATIONS_NAME, issuerNameOf, loadCa, newId } from './ca.ts';
import type { KeeperSettings } from './ca-keys.ts';
import type { SignedCertificate } from './sign.ts';

/** Directories of CAs below the pki directory. */
export const CA_DIRECTORY = /^ca(-[0-9a-f]{8})?$/;

export interface Generations {
  /** Directories below the pki directory. */
  readonly current: string;
  readonly old: { readonly directory: string; readonly until: string } | undefined;
  /** Of no use any more; what is left of them is removed. */
  readonly retired: readonly string[];
}

export interface Authorities {
  readonly generations: Generations;
  /** Certifies devices. */
  readonly current: Ca;
  /** Trusted beside it until the replacement is finished. */
  readonly old: Ca | undefined;
  /** Certifies the broker: devices that have not moved must be able to verify it. */
  readonly serving: Ca;
}

const FIRST: Generations = { current: DIRECTORY, old: undefined, retired: [] };

/** What the text of the file says; throws MOT-0424. */
export function parseGenerations(text: string | undefined): Generations {
  if (text === undefined) return FIRST;
  const document = parseJson(text) as Partial<Record<keyof Generations | 'format', unknown>> | null;
  const { format, current, old, retired } = document ?? {};
  const { directory, until } = (old ?? {}) as { directory?: unknown; until?: unknown };
  const names = [current, ...(old === undefined ? [] : [directory]), ...(Array.isArray(retired) ? retired : [0])];
  const areNames = names.every((name) => typeof name === 'string' && CA_DIRECTORY.test(name));
  const isUntil = old === undefined || (typeof until === 'string' && !Number.isNaN(Date.parse(until)));
  if (format !== 1 || !areNames || !isUntil || new Set(names).size !== names.length) {
    throw new AuthorityFault('MOT-0424', `${GENERATIONS_NAME} is damaged`);
  }
  return {
    current: current as string,
    old: old === undefined ? undefined : { directory: directory as string, until: until as string },
    retired: retired as string[],
  };
}

/** Reads the file; throws MOT-0423 and MOT-0424. */
export async function readGenerations(pki: string): Promise<Generations> {
  return parseGenerations(await readPrivateFile(join(pki, GENERATIONS_NAME)));
}

/** Loads what the file names. `isIssuer` says whether a CA of that name ever certified anybody. Throws MOT-0423, MOT-0424. */
export async function loadAuthorities(
  pki: string,
  settings: KeeperSettings,
  isIssuer: (name: string) => boolean,
): Promise<Authorities> {
  const generations = await readGenerations(pki);
  await clear(pki, generations, isIssuer);
  const current = await loadCa(pki, generations.current, settings);
  const old = generations.old === undefined ? undefined : await loadCa(pki, generations.old.directory, settings);
  return { generations, current, old, serving: old ?? current };
}

/** Makes a new CA beside the current one and has devices certified by it from now on. MOT-0461 while that is so already. */
export async function beginRotation(
  pki: string,
  { generations, current }: Authorities,
  {
    nowMs,
    overlapMs,
    settings,
  }: { readonly nowMs: number; readonly overlapMs: number; readonly settings: KeeperSettings },
  record: (certificate: SignedCertificate) => Promise<void>,
): Promise<void> {
  if (generations.old !== undefined) {
    throw new AuthorityFault('MOT-0461', `the overlap lasts until ${generations.old.until}`);
  }
  const id = newId();
  const next = `${DIRECTORY}-${id}`;
  await createCa(pki, nowMs, record, { id, directory: next }, settings);
  // The old one serves no longer than it lives.
  const until = new Date(Math.min(nowMs + overlapMs, current.issuer.notAfterMs)).toISOString();
  await write(pki, { current: next, old: { directory: generations.current, until }, retired: [] });
}

/** Trusts the new CA alone; the old one's keys are destroyed. MOT-0463 where nothing is being replaced. */
export async function endRotation(pki: string, { generations }: Authorities): Promise<void> {
  if (generations.old === undefined) throw new AuthorityFault('MOT-0463', 'there is one CA');
  await write(pki, { current: generations.current, old: undefined, retired: [generations.old.directory] });
}

async function write(pki: string, { current, old, retired }: Generations): Promise<void> {
  await writePrivateFile(pki, GENERATIONS_NAME, `${JSON.stringify({ format: 1, current, old, retired })}\n`);
}

/** Removes retired CAs, and one whose making was interrupted before it was of any use. */
async function clear(
  pki: string,
  { current, old, retired }: Generations,
  isIssuer: (name: string) => boolean,
): Promise<void> {
  await fs.rm(join(pki, DRAFT), { recursive: true, force: true });
  for (const name of await fs.readdir(pki)) {
    if (!CA_DIRECTORY.test(name) || name === current || name === old?.directory) continue;
    if (!retired.includes(name) && (await hasIssued(join(pki, name), isIssuer))) {
      throw new AuthorityFault(
        'MOT-0424',
        `${join(pki, name)} certified devices, but ${GENERATIONS_NAME} does not name it`,
      );
    }
    await fs.rm(join(pki, name), { recursive: true, force: true });
    await syncDirectory(pki);
  }
}

async function hasIssued(directory: string, isIssuer: (name: string) => boolean): Promise<boolean> {
  const text = await readPrivateFile(join(directory, 'issuing.crt'));
  try {
    return text === undefined || isIssuer(issuerNameOf(new X509Certificate(text).subject));
  } catch {
    // Whatever it is, it is not ours to remove.
    return true;
  }
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
