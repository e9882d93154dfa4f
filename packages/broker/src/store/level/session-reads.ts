// What is read of sessions and their queues, for a store that is running: which records these are, as of which moment. How they
// lie in the database is known to load.ts and queue-page.ts.

import type { OpenedSession, QueuedMessage } from '../../ports/store.ts';
import type { Answer, Answers } from './answers.ts';
import type { Commits } from './commits.ts';
import type { Engine } from './engine.ts';
import { loadSessions, SESSIONS_MAX, type Unseal } from './load.ts';
import { owedOf } from './owed-copies.ts';
import type { Quarantine } from './quarantine.ts';
import { queuePage } from './queue-page.ts';
import type { SessionNumbers } from './sessions.ts';
import type { Sweeping } from './sweeping.ts';

export interface SessionReadsParts {
  readonly engine: Engine;
  readonly sessions: SessionNumbers;
  readonly quarantine: Quarantine;
  readonly unseal: Unseal;
  readonly commits: Commits;
  readonly sweeping: Sweeping;
  readonly answers: Answers;
}

export class SessionReads {
  readonly #parts: SessionReadsParts;
  #opened: readonly OpenedSession[] | undefined;

  /** `opened`: all sessions, as opening has read them. */
  constructor(opened: readonly OpenedSession[], parts: SessionReadsParts) {
    this.#opened = opened;
    this.#parts = parts;
  }

  /** What opening has read does not hold any more. */
  outdate(): void {
    this.#opened = undefined;
  }

  open(key: string, callback: Answer<OpenedSession | undefined>): void {
    const { engine, sessions, unseal, answers } = this.#parts;
    answers.give(async () => {
      const number = sessions.find(key);
      if (number === undefined) return undefined;
      const loaded = await loadSessions(engine, unseal, { first: number, last: number });
      return loaded.sessions.get(number);
    }, callback);
  }

  /** What opening has read is handed out as long as it holds: nothing is read twice at a start. */
  list(callback: Answer<readonly OpenedSession[]>): void {
    const { engine, unseal, answers } = this.#parts;
    const opened = this.#opened;
    this.#opened = undefined;
    answers.give(
      async () => {
        if (opened !== undefined) return opened;
        const { sessions } = await loadSessions(engine, unseal, { first: 0, last: SESSIONS_MAX });
        return [...sessions.values()];
      },
      (sessions, fault) => callback(sessions ?? [], fault),
    );
  }

  queue(key: string, afterSeq: number, max: number, callback: Answer<readonly QueuedMessage[]>): void {
    const { engine, sessions, quarantine, answers } = this.#parts;
    const session = sessions.find(key);
    answers.give(
      async () => (session === undefined ? [] : queuePage(engine, quarantine, { session, afterSeq, max })),
      (entries, fault) => callback(entries ?? [], fault),
    );
  }

  owed(key: string, callback: Answer<readonly QueuedMessage[]>): void {
    const { engine, sessions, quarantine, commits, sweeping, answers } = this.#parts;
    const session = sessions.find(key);
    if (session === undefined) {
      answers.giveAtOnce(() => callback([]));
      return;
    }
    const unwritten = [...commits.unwrittenOf(session)];
    // Not before it was read, should the session end now: messages that it shares with nobody go with its copies.
    sweeping.hold();
    answers.give(
      async () =>
        owedOf(await queuePage(engine, quarantine, { session, afterSeq: 0, max: Number.POSITIVE_INFINITY }), unwritten),
      (entries, fault) => {
        sweeping.release();
        callback(entries ?? [], fault);
      },
    );
  }
}
