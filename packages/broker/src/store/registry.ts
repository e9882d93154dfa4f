// The registry of identities in its first form: one JSON file, `<data>/store/registry.json`, replaced as a whole and
// durable before `put` answers. Reading is from memory. It is 0600: it decides who is known, and holds their verifiers.

import { randomBytes } from 'node:crypto';
import { readFileSync } from 'node:fs';
import type { IdentityDirectory, RegisteredIdentity, Verifier } from '../ports/directory.ts';
import { identityKey } from '../ports/identity.ts';
import { replaceFile } from './replace-file.ts';

export { replaceFile } from './replace-file.ts';

/** A registry file that is not what Motte wrote; nothing is changed. */
export class RegistryFault extends Error {
  override readonly name = 'RegistryFault';
}

/** Opens the registry, empty if there is no file yet. Throws RegistryFault for a file that cannot be understood. */
export function openRegistry(path: string): IdentityDirectory {
  const { identities, decoyKey } = load(path);
  const text = (all: Iterable<RegisteredIdentity>) => render(all, decoyKey);
  let last: Promise<unknown> = Promise.resolve();
  const watchers: Parameters<NonNullable<IdentityDirectory['watch']>>[0][] = [];
  const changed = (realm: string, name: string): void => {
    for (const watcher of watchers) watcher({ realm, name });
  };
  /** One write at a time, in order; what could not be written is not known either. */
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const done = last.then(work);
    last = done.catch(() => undefined);
    return done;
  };
  return {
    decoyKey,
    find: (realm, name) => identities.get(identityKey({ realm, name })),
    list: () => [...identities.values()],
    put: (identity, inPlaceOf) =>
      inTurn(async () => {
        if (inPlaceOf !== undefined && identities.get(identityKey(identity)) !== inPlaceOf) return;
        const kept = Object.freeze({ ...identity, roles: Object.freeze([...identity.roles]) });
        await replaceFile(path, text(new Map(identities).set(identityKey(identity), kept).values()));
        identities.set(identityKey(identity), kept);
        changed(identity.realm, identity.name);
      }),
    remove: (realm, name) =>
      inTurn(async () => {
        const key = identityKey({ realm, name });
        if (!identities.has(key)) return false;
        const next = new Map(identities);
        next.delete(key);
        await replaceFile(path, text(next.values()));
        identities.delete(key);
        changed(realm, name);
        return true;
      }),
    watch: (listener) => void watchers.push(listener),
  };
}

function load(path: string): { identities: Map<string, RegisteredIdentity>; decoyKey: Uint8Array } {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (fault) {
    if ((fault as NodeJS.ErrnoException).code === 'ENOENT')
      return { identities: new Map(), decoyKey: randomBytes(DECOY_KEY_BYTES) };
    throw new RegistryFault(`${path}: ${(fault as Error).message}`, { cause: fault });
  }
  const document = parseDocument(text, path);
  return { identities: identitiesIn(document, path), decoyKey: decoyKeyIn(document) };
}

/** The identities in a registry's text; `path` is for messages. Throws RegistryFault. */
export function parseRegistry(text: string, path: string): Map<string, RegisteredIdentity> {
  return identitiesIn(parseDocument(text, path), path);
}

interface RegistryDocument {
  readonly format?: unknown;
  readonly identities?: unknown;
  readonly decoyKey?: unknown;
}

function parseDocument(text: string, path: string): RegistryDocument {
  try {
    return (JSON.parse(text) as RegistryDocument | null) ?? {};
  } catch (cause) {
    throw new RegistryFault(`${path}: not a JSON document`, { cause });
  }
}

function identitiesIn({ format, identities }: RegistryDocument, path: string): Map<string, RegisteredIdentity> {
  if (format !== FORMAT) throw new RegistryFault(`${path}: format ${String(format)}, this version reads ${FORMAT}`);
  if (!Array.isArray(identities)) throw new RegistryFault(`${path}: no list of identities`);
  const map = new Map<string, RegisteredIdentity>();
  for (const [index, entry] of identities.entries()) {
    if (!isRegistered(entry)) throw new RegistryFault(`${path}: identity ${index + 1} is not complete`);
    const key = identityKey(entry);
    if (map.has(key)) throw new RegistryFault(`${path}: ${entry.name} of ${entry.realm} stands there twice`);
    map.set(key, entry);
  }
  return map;
}

/** Registries of older versions have none yet; nothing hangs on which one it is but that it stays. */
function decoyKeyIn({ decoyKey }: RegistryDocument): Uint8Array {
  const key = Buffer.from(typeof decoyKey === 'string' ? decoyKey : '', 'base64');
  return key.length === DECOY_KEY_BYTES ? key : randomBytes(DECOY_KEY_BYTES);
}

function isRegistered(value: unknown): value is RegisteredIdentity {
  const entry = value as Partial<RegisteredIdentity> | null;
  return (
    typeof entry === 'object' &&
    entry !== null &&
    isLine(entry.realm) &&
    isLine(entry.name) &&
    (entry.kind === 'device' || entry.kind === 'user') &&
    Array.isArray(entry.roles) &&
    entry.roles.every(isLine) &&
    (entry.state === 'active' || entry.state === 'disabled') &&
    typeof entry.addedAtMs === 'number' &&
    (entry.verifier === undefined || isVerifier(entry.verifier))
  );
}

function isVerifier(value: unknown): value is Verifier {
  if (typeof value !== 'object' || value === null) return false;
  const { kind, ...rest } = value as Record<string, unknown>;
  const fields = VERIFIER_FIELDS.get(kind as Verifier['kind']);
  return fields !== undefined && Object.entries(fields).every(([name, type]) => typeof rest[name] === type);
}

function isLine(value: unknown): value is string {
  return typeof value === 'string' && value !== '' && !value.includes('\n');
}

/** The text of a new registry. */
export function renderRegistry(identities: Iterable<RegisteredIdentity>): string {
  return render(identities, randomBytes(DECOY_KEY_BYTES));
}

function render(identities: Iterable<RegisteredIdentity>, decoyKey: Uint8Array): string {
  const key = Buffer.from(decoyKey).toString('base64');
  return `${JSON.stringify({ format: FORMAT, decoyKey: key, identities: [...identities] }, null, 2)}\n`;
}

const FORMAT = 1;
const DECOY_KEY_BYTES = 32;
const VERIFIER_FIELDS = new Map<Verifier['kind'], Readonly<Record<string, 'string' | 'number'>>>([
  ['argon2id', { hash: 'string' }],
  ['mosquitto', { hash: 'string' }],
  ['scram-sha-256', { salt: 'string', iterations: 'number', storedKey: 'string', serverKey: 'string' }],
  ['psk', { key: 'string' }],
]);
