// Carries out that identities are gone: what they had is taken away, `device.revoked` says so, and `identity.onRevoke` is
// done. Remembers for a short while what each of them lost, for the command that asks how it went.

import type { OnRevoke } from '../ports/config.ts';
import { type Identity, identityKey } from '../ports/identity.ts';
import type { TakenAway } from '../ports/taken-away.ts';
import { PASSWORD_REALM, SCRAM_REALM } from '../ports/users.ts';
import type { Core } from './core.ts';
import { clearRetained, publishGone } from './retained-left-behind.ts';
import { type TakeAwayParts, takeAway } from './take-away.ts';

export interface RemovalParts extends Pick<TakeAwayParts, 'subjectOf'> {
  /** Identities of which a certificate was taken back; read at every look. */
  readonly fallen: () => ReadonlyMap<string, string>;
  /** False for an identity, by its key, that can prove itself no more. */
  readonly isKnown: (owner: string) => boolean;
  readonly onRevoke: OnRevoke;
}

/** What one command ends is reported once, though it comes in pieces: the certificate first, then the registry. */
const ONE_MATTER_MS = 5_000;
const REMEMBERED_MAX = 1_000;

export class Removal {
  readonly #core: Core;
  readonly #parts: RemovalParts;
  readonly #lately = new Map<string, { readonly taken: TakenAway; readonly atMs: number }>();

  constructor(core: Core, parts: RemovalParts) {
    this.#core = core;
    this.#parts = parts;
  }

  /** Certificates were taken back: ends what rests on them, of everybody. */
  look(): void {
    const { subjectOf } = this.#parts;
    const taken = takeAway(this.#core, { subjectOf, fallen: this.#parts.fallen() });
    for (const one of taken.values()) {
      if (one.superseded) this.#remember(one);
      else this.#settle(one);
    }
  }

  /** The registry has changed: ends what this identity had if it can prove itself no more. */
  lookAt(identity: Pick<Identity, 'realm' | 'name'>): void {
    const key = identityKey(identity);
    if (this.#parts.isKnown(key)) return;
    const taken = takeAway(this.#core, { subjectOf: this.#parts.subjectOf, only: key }).get(key);
    const kind = identity.realm === PASSWORD_REALM || identity.realm === SCRAM_REALM ? 'user' : 'device';
    const whole: Identity = { kind, roles: [], ...identity };
    this.#settle(taken ?? { ...NOTHING, identity: whole, why: 'it is not registered any more, or disabled' });
  }

  /** Clears what those left behind who went while the broker was down, if that is what happens to it. */
  async begin(): Promise<void> {
    if (this.#parts.onRevoke.kind === 'clear') await clearRetained(this.#core, (owner) => !this.#parts.isKnown(owner));
  }

  /** What the identity lost lately; undefined if nothing is known of it. */
  lately(identity: Pick<Identity, 'realm' | 'name'>): TakenAway | undefined {
    const known = this.#lately.get(identityKey(identity));
    return known !== undefined && this.#isRecent(known.atMs) ? known.taken : undefined;
  }

  #settle(taken: TakenAway): void {
    const key = identityKey(taken.identity);
    const isNew = this.#remember(taken);
    const { why, connections, sessions, queuedMessages, wills } = taken;
    if (!isNew && connections + sessions === 0) return;
    this.#core.emit('device.revoked', { identity: key, why, connections, sessions, queuedMessages, wills });
    if (isNew) this.#leftBehind(key, taken.identity);
  }

  /** Adds it to what is known of the same matter; false if something of that was settled before. */
  #remember(taken: TakenAway): boolean {
    const key = identityKey(taken.identity);
    const known = this.#lately.get(key);
    if (known !== undefined && this.#isRecent(known.atMs)) {
      const { taken: sum } = known;
      const isNew = sum.superseded && !taken.superseded;
      sum.superseded &&= taken.superseded;
      sum.connections += taken.connections;
      sum.sessions += taken.sessions;
      sum.queuedMessages += taken.queuedMessages;
      sum.wills += taken.wills;
      return isNew;
    }
    this.#lately.delete(key);
    const [oldest] = this.#lately.keys();
    if (this.#lately.size >= REMEMBERED_MAX && oldest !== undefined) this.#lately.delete(oldest);
    this.#lately.set(key, { taken: { ...taken }, atMs: this.#core.clock.monotonicMs() });
    return true;
  }

  #leftBehind(key: string, identity: Identity): void {
    const { onRevoke } = this.#parts;
    // Its topic is of a device, and a user may have the name of one.
    if (onRevoke.kind === 'publish' && identity.kind === 'device') publishGone(this.#core, onRevoke.topic, identity);
    if (onRevoke.kind !== 'clear') return;
    clearRetained(this.#core, (owner) => owner === key).catch((fault: Error) => this.#core.reports.storeFault(fault));
  }

  #isRecent(atMs: number): boolean {
    return this.#core.clock.monotonicMs() - atMs < ONE_MATTER_MS;
  }
}

const NOTHING = { superseded: false, connections: 0, sessions: 0, queuedMessages: 0, wills: 0 };
