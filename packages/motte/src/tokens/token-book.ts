// What `motte token` records: issuers beside those of motte.yaml, and tokens that are taken no more. One file,
// `<data>/store/tokens.json`, replaced as a whole; reading is from memory. What is over is forgotten at the next change.

import { readFileSync } from 'node:fs';
import { MotteError } from '@motte/admin/errors';
import { choiceKey, isOver, type TokenChoice, type TokenRevocation } from '@motte/broker/ports/token-desk';
import { replaceFile } from '@motte/broker/registry';
import type { TokenSettings } from '../config/settings.ts';
import { said } from '../data/said.ts';
import { parseTokenEntry, type TokenEntry } from './token-entry.ts';

export interface RecordedIssuer {
  /** As it was given. */
  readonly entry: TokenEntry;
  readonly settings: TokenSettings;
}

/** What such a file holds: issuers by name, revocations by `choiceKey`. */
export interface TokenRecord {
  readonly issuers: Map<string, RecordedIssuer>;
  readonly revocations: Map<string, TokenRevocation>;
}

export class TokenBook {
  readonly #path: string;
  readonly #nowMs: () => number;
  readonly #content: TokenRecord;
  #last: Promise<unknown> = Promise.resolve();

  /** Empty if there is no file yet. Throws MOT-0655 for a file that cannot be understood. */
  constructor(path: string, nowMs: () => number) {
    this.#path = path;
    this.#nowMs = nowMs;
    this.#content = parseTokenBook(readText(path), path);
  }

  get issuers(): ReadonlyMap<string, RecordedIssuer> {
    return this.#content.issuers;
  }

  /** By `choiceKey`; some may be over. */
  get revocations(): ReadonlyMap<string, TokenRevocation> {
    return this.#content.revocations;
  }

  addIssuer(issuer: RecordedIssuer): Promise<void> {
    const { issuer: name } = issuer.settings;
    return this.#change(({ issuers }) => {
      if (issuers.has(name)) throw new MotteError('MOT-0651', name);
      if (issuers.size >= ISSUERS_MAX) throw new MotteError('MOT-0654', `there are ${ISSUERS_MAX} issuers`);
      issuers.set(name, issuer);
    });
  }

  removeIssuer(issuer: string): Promise<void> {
    return this.#change(({ issuers }) => void issuers.delete(issuer));
  }

  revoke(revocation: TokenRevocation): Promise<void> {
    return this.#change(({ revocations }) => {
      const key = choiceKey(revocation);
      if (!revocations.has(key) && revocations.size >= REVOCATIONS_MAX)
        throw new MotteError('MOT-0654', `there are ${REVOCATIONS_MAX} revocations`);
      revocations.set(key, revocation);
    });
  }

  lift(choice: TokenChoice): Promise<void> {
    return this.#change(({ revocations }) => void revocations.delete(choiceKey(choice)));
  }

  /** One at a time, durable before it counts; what could not be written does not count. */
  #change(work: (next: TokenRecord) => void): Promise<void> {
    const done = this.#last.then(() => this.#write(work));
    this.#last = done.catch(() => undefined);
    return done;
  }

  async #write(work: (next: TokenRecord) => void): Promise<void> {
    const { issuers, revocations } = this.#content;
    const nowMs = this.#nowMs();
    const kept = [...revocations].filter(([, one]) => !isOver(one, nowMs));
    const next = { issuers: new Map(issuers), revocations: new Map(kept) };
    work(next);
    await replaceFile(this.#path, render(next));
    replaceAll(issuers, next.issuers);
    replaceAll(revocations, next.revocations);
  }
}

/** The text of such a file; `path` is for messages. Throws MOT-0655. */
export function parseTokenBook(text: string | undefined, path: string): TokenRecord {
  const content: TokenRecord = { issuers: new Map(), revocations: new Map() };
  if (text === undefined) return content;
  const refused = (why: string): MotteError => new MotteError('MOT-0655', `${path}: ${why}`);
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch {
    throw refused('not a JSON document');
  }
  const { format, issuers, revocations } = (document ?? {}) as Readonly<Record<string, unknown>>;
  if (format !== FORMAT) throw refused(`format ${String(format)}, this version reads ${FORMAT}`);
  if (!Array.isArray(issuers) || !Array.isArray(revocations)) throw refused('no lists of issuers and revocations');
  for (const entry of issuers as TokenEntry[]) {
    const settings = parseTokenEntry(entry);
    content.issuers.set(settings.issuer, { entry, settings });
  }
  for (const [index, one] of revocations.entries()) {
    if (!isRevocation(one)) throw refused(`revocation ${index + 1} is not complete`);
    content.revocations.set(choiceKey(one), one);
  }
  return content;
}

/** As later records have it: issuers that each of them still has, and whatever any of them revoked. */
export function mergeTokenBooks(before: TokenRecord, later: readonly TokenRecord[]): TokenRecord & { text: string } {
  const issuers = new Map([...before.issuers].filter(([name]) => later.every((one) => one.issuers.has(name))));
  const revocations = new Map([before, ...later].flatMap((one) => [...one.revocations]));
  return { issuers, revocations, text: render({ issuers, revocations }) };
}

function isRevocation(value: unknown): value is TokenRevocation {
  const one = (value ?? {}) as Readonly<Record<string, unknown>>;
  const choices = [one['id'], one['name']].filter((choice) => typeof choice === 'string');
  return (
    typeof one['issuer'] === 'string' &&
    choices.length === 1 &&
    Number.isSafeInteger(one['revokedAtMs']) &&
    Number.isSafeInteger(one['untilMs'])
  );
}

function render({ issuers, revocations }: TokenRecord): string {
  const entries = [...issuers.values()].map(({ entry }) => entry);
  return `${JSON.stringify({ format: FORMAT, issuers: entries, revocations: [...revocations.values()] }, null, 2)}\n`;
}

function readText(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch (fault) {
    if ((fault as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new MotteError('MOT-0655', `${path}: ${said(fault)}`, { cause: fault });
  }
}

/** The maps stay the same: whoever judges tokens reads them at every proof. */
function replaceAll<K, V>(map: Map<K, V>, next: ReadonlyMap<K, V>): void {
  map.clear();
  for (const [key, value] of next) map.set(key, value);
}

const FORMAT = 1;
const ISSUERS_MAX = 64;
const REVOCATIONS_MAX = 10_000;
