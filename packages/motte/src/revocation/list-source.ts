// One entry of tls.crl: the lists that it holds now, read again when the file has changed or the address is due. What cannot be
// used leaves the old lists in force and stands in `fault`. Lists only ever become newer.

import { open } from 'node:fs/promises';
import type { Clock } from '@motte/broker/ports/clock';
import { type RevocationList, readRevocationList, type StatusIssuer, splitLists } from '@motte/pki/status';
import type { RevocationListSettings } from '../config/settings.ts';
import { requestBounded } from '../data/bounded-request.ts';
import { signatureOf } from '../data/file-watch.ts';
import { said } from '../data/said.ts';
import type { ListCache } from './list-cache.ts';

export interface ListSourceParts {
  readonly settings: RevocationListSettings;
  readonly cache: ListCache;
  readonly clock: Clock;
}

export class ListSource {
  readonly settings: RevocationListSettings;
  readonly #parts: ListSourceParts;
  /** By fingerprint of the CA. */
  #lists: ReadonlyMap<string, RevocationList> = new Map();
  #fault: string | undefined;
  #seen: string | undefined;
  #taken: string | undefined;
  #dueAtMs = Number.NEGATIVE_INFINITY;
  #isForgotten = false;

  constructor(parts: ListSourceParts) {
    this.#parts = parts;
    this.settings = parts.settings;
  }

  get lists(): ReadonlyMap<string, RevocationList> {
    return this.#lists;
  }

  /** Why what is there now is not in force; undefined if it is, or was not read yet. */
  get fault(): string | undefined {
    return this.#fault;
  }

  /** Where it is read from, for people. */
  get place(): string {
    return this.settings.file ?? this.settings.url ?? '';
  }

  /** Has it read anew, whatever was read: the CAs have changed. */
  forget(): void {
    this.#isForgotten = true;
    this.#taken = undefined;
    this.#dueAtMs = Number.NEGATIVE_INFINITY;
  }

  /** Reads what a file or an earlier run left; an address is asked by `look`. */
  async begin(issuers: readonly StatusIssuer[]): Promise<void> {
    const { file, url } = this.settings;
    if (file !== undefined) {
      this.#taken = await signatureOf([file]);
      await this.#attempt(issuers, () => readBounded(file));
    }
    const kept = url === undefined ? undefined : await this.#parts.cache.read(url);
    if (kept !== undefined) await this.#attempt(issuers, async () => kept);
  }

  /** Reads it again if there may be something new; true if something was tried. */
  async look(issuers: readonly StatusIssuer[]): Promise<boolean> {
    const { file, url } = this.settings;
    if (file !== undefined) return this.#lookAtFile(file, issuers);
    if (url === undefined || this.#parts.clock.monotonicMs() < this.#dueAtMs) return false;
    this.#isForgotten = false;
    const isTaken = await this.#attempt(issuers, () => this.#fetch(url));
    // What was fetched meanwhile was judged by CAs that are not those any more.
    if (this.#isForgotten) return true;
    this.#dueAtMs = this.#parts.clock.monotonicMs() + (isTaken ? this.#restMs() : RETRY_MS);
    return true;
  }

  async #lookAtFile(file: string, issuers: readonly StatusIssuer[]): Promise<boolean> {
    const seen = await signatureOf([file]);
    // What is still being written is looked at again.
    const isQuiet = seen === this.#seen || this.#taken === undefined;
    this.#seen = seen;
    if (seen === this.#taken || !isQuiet) return false;
    this.#taken = seen;
    await this.#attempt(issuers, () => readBounded(file));
    return true;
  }

  async #attempt(issuers: readonly StatusIssuer[], read: () => Promise<Buffer>): Promise<boolean> {
    try {
      const bytes = await read();
      const fresh = new Map<string, RevocationList>();
      for (const der of splitLists(bytes)) {
        const list = await readRevocationList(der, issuers);
        this.#checkAge(list);
        for (const { fingerprint } of list.issuers) fresh.set(fingerprint, newerOf(fresh.get(fingerprint), list));
      }
      this.#lists = fresh;
      this.#fault = undefined;
      await this.#keep(bytes);
      return true;
    } catch (fault) {
      this.#fault = (fault as Error).message;
      return false;
    }
  }

  /** Refuses a list of tomorrow, and one that is older than what is in force. */
  #checkAge(list: RevocationList): void {
    const { thisUpdateMs, issuers } = list;
    if (thisUpdateMs > this.#parts.clock.nowMs() + CLOCK_SKEW_MS)
      throw new Error(`it begins later than now, ${dateText(thisUpdateMs)}: look at the clocks`);
    for (const { fingerprint, name } of issuers) {
      const known = this.#lists.get(fingerprint);
      if (known === undefined || newerOf(known, list) === list) continue;
      throw new Error(`it is older than the list of ${name} that is in force, of ${dateText(known.thisUpdateMs)}`);
    }
  }

  async #keep(bytes: Uint8Array): Promise<void> {
    const { url } = this.settings;
    // Whoever cannot write has the list all the same, and fetches it at the next start.
    if (url !== undefined) await this.#parts.cache.write(url, bytes).catch(() => undefined);
  }

  #fetch(url: string): Promise<Buffer> {
    const { serverCa } = this.settings;
    const limits = { bytesMax: FETCH_BYTES_MAX, deadlineMs: FETCH_DEADLINE_MS };
    return requestBounded({ url, caFile: serverCa, ...limits, headers: { accept: 'application/pkix-crl, */*' } });
  }

  /** Until it is fetched again: as the configuration says, and before the first of its lists ends. */
  #restMs(): number {
    const nowMs = this.#parts.clock.nowMs();
    const ends = [...this.#lists.values()].map(({ thisUpdateMs, nextUpdateMs }) => {
      return nextUpdateMs - Math.min((nextUpdateMs - thisUpdateMs) * EARLY_SHARE, EARLY_MS_MAX) - nowMs;
    });
    return Math.max(Math.min(this.settings.refreshMinutes * 60_000, ...ends), RETRY_MS);
  }
}

/** The one with the higher number, or made later where one of them has none; the second if they are alike. */
export function newerOf(known: RevocationList | undefined, list: RevocationList): RevocationList {
  if (known === undefined) return list;
  if (known.number !== undefined && list.number !== undefined && known.number !== list.number)
    return known.number > list.number ? known : list;
  return known.thisUpdateMs > list.thisUpdateMs ? known : list;
}

export function dateText(ms: number): string {
  return `${new Date(ms).toISOString().slice(0, 19)}Z`;
}

async function readBounded(file: string): Promise<Buffer> {
  try {
    const handle = await open(file);
    try {
      const { size } = await handle.stat();
      // One byte more than is taken tells that there is more.
      const bytes = Buffer.alloc(Math.min(size, FETCH_BYTES_MAX) + 1);
      const { bytesRead } = await handle.read(bytes, 0, bytes.length, 0);
      return bytes.subarray(0, bytesRead);
    } finally {
      await handle.close();
    }
  } catch (cause) {
    throw new Error(said(cause), { cause });
  }
}

/** A little more than a list may have, so that it is the list's own limit which is named. */
const FETCH_BYTES_MAX = 8 * 1024 * 1024;
const FETCH_DEADLINE_MS = 10_000;
/** After a failure, and between two questions in any case. */
const RETRY_MS = 60_000;
/** Clocks of a CA and of this machine may be so far apart. */
const CLOCK_SKEW_MS = 300_000;
/** A list is fetched when this share of its life is left, and not earlier than this before its end. */
const EARLY_SHARE = 0.1;
const EARLY_MS_MAX = 3_600_000;
