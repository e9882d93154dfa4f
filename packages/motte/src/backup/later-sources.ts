// What is known of the time after a backup, from where a restore was told to look: the authority's lists, and who is in the
// registry of the old data directory. A restore takes away by it, and never adds.

import { existsSync, readFileSync, statSync } from 'node:fs';
import { MotteError } from '@motte/admin/errors';
import type { RegisteredIdentity } from '@motte/broker/ports/directory';
import { identityKey, identityLabel, OWN_REALM } from '@motte/broker/ports/identity';
import { parseRegistry } from '@motte/broker/registry';
import { AuthorityFault, type Later, readLater } from '@motte/pki';
import { registryPath, tokensPath } from '../data/layout.ts';
import { said } from '../data/said.ts';
import { mergeTokenBooks, parseTokenBook, type TokenRecord } from '../tokens/token-book.ts';
import { TOKENS_FILE } from './source.ts';

export interface LaterSources {
  readonly lists: readonly Later[];
  readonly registries: readonly ReadonlyMap<string, RegisteredIdentity>[];
  readonly tokens: readonly TokenRecord[];
}

/** Reads all that is named; throws MOT-0441, and MOT-0810 where nothing is named and `accepted` does not say that it is known. */
export async function readLaterSources(paths: readonly string[], accepted: boolean): Promise<LaterSources> {
  if (paths.length === 0 && !accepted) {
    throw new MotteError('MOT-0810', 'whoever was revoked since the backup would be let in again');
  }
  const lists = await Promise.all(paths.map((path) => readLater(path)));
  const directories = paths.filter((path) => statSync(path).isDirectory());
  return { lists, registries: directories.map(readRegistry), tokens: directories.map(readTokens) };
}

/** Nothing was ever recorded where there is no file. */
function readTokens(data: string): TokenRecord {
  const path = tokensPath(data);
  try {
    return parseTokenBook(existsSync(path) ? readFileSync(path, 'utf8') : undefined, path);
  } catch (fault) {
    throw new AuthorityFault('MOT-0441', fault instanceof MotteError ? fault.why : said(fault), { cause: fault });
  }
}

function readRegistry(data: string): ReadonlyMap<string, RegisteredIdentity> {
  const path = registryPath(data);
  try {
    if (!existsSync(path)) throw new Error(`${path} is missing`);
    return parseRegistry(readFileSync(path, 'utf8'), path);
  } catch (fault) {
    throw new AuthorityFault('MOT-0441', said(fault), { cause: fault });
  }
}

export interface Amended {
  readonly text: string;
  /** As people name them. */
  readonly removed: readonly string[];
  readonly disabled: readonly string[];
}

/** The registry of a backup without whom later registries do not have, as those have the others; devices of `gone` are disabled. */
export function amendRegistry(text: string, { registries }: LaterSources, gone: readonly string[]): Amended {
  const document = JSON.parse(text) as { identities: RegisteredIdentity[] };
  const removed: string[] = [];
  const disabled: string[] = [];
  const identities = document.identities.flatMap((identity) => {
    const later = registries.map((registry) => registry.get(identityKey(identity)));
    if (later.includes(undefined)) {
      removed.push(identityLabel(identity));
      return [];
    }
    const known = later.at(-1) ?? identity;
    const isOff =
      later.some((one) => one?.state === 'disabled') || (known.realm === OWN_REALM && gone.includes(known.name));
    if (!isOff) return [known];
    if (identity.state === 'active') disabled.push(identityLabel(identity));
    return [{ ...known, state: 'disabled' as const }];
  });
  return { text: `${JSON.stringify({ ...document, identities }, null, 2)}\n`, removed, disabled };
}

/** What the backup records of tokens without issuers that were removed since, and with what was revoked since. */
export function amendTokens(text: string | undefined, { tokens }: LaterSources): AmendedTokens {
  const before = parseTokenBook(text, TOKENS_FILE);
  if (tokens.length === 0) return { text: undefined, removed: [], revoked: 0 };
  const merged = mergeTokenBooks(before, tokens);
  return {
    text: merged.text,
    removed: [...before.issuers.keys()].filter((issuer) => !merged.issuers.has(issuer)).map((one) => `issuer ${one}`),
    revoked: merged.revocations.size - before.revocations.size,
  };
}

export interface AmendedTokens {
  /** Undefined = as it was. */
  readonly text: string | undefined;
  readonly removed: readonly string[];
  readonly revoked: number;
}
