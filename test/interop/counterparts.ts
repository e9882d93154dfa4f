// A counterpart is a client library of someone else behind a driver, a small program that does what a test tells it. Which
// packages of Debian are missing on this machine is said by `npm test`; what needs one of them is skipped under its name.

import { describe } from 'vitest';
import type { Words } from './line-coding.ts';

export type Version = '3.1' | '3.1.1' | '5.0';

export const VERSIONS: readonly Version[] = ['3.1', '3.1.1', '5.0'];

/** Verbs to a driver: connect, subscribe, unsubscribe, publish, disconnect. What it says is in client.ts. */
export interface Driver {
  send(words: Words): void;
  /** Ends it as a power cut would: no DISCONNECT. */
  kill(): void;
  /** Its last words, for the message of a test that fails. */
  complaints(): string;
}

export interface Counterpart {
  readonly name: string;
  readonly versions: readonly Version[];
  /** False where its interface does not show the reason code of PUBACK and PUBREC. */
  readonly tellsPublishReason: boolean;
  /** False where its interface does not show the reason code of a DISCONNECT without properties. */
  readonly tellsDisconnectReason: boolean;
  /** False where it leaves the use of topic aliases that come in to the application. */
  readonly resolvesAliases: boolean;
  start(onWords: (words: Words) => void): Promise<Driver>;
}

const lacking = new Set((process.env['MOTTE_TEST_LACKS'] ?? '').split(',').filter((name) => name !== ''));

/** `describe`, skipped with the missing packages in its title where this machine lacks one of them. */
export function describeWith(packages: readonly string[], title: string, body: () => void): void {
  const missing = packages.filter((name) => lacking.has(name));
  const lacks = missing.length === 0 ? '' : ` (this machine lacks ${missing.join(', ')})`;
  describe(`${title}${lacks}`, { skip: missing.length > 0 }, () => {
    body();
  });
}
