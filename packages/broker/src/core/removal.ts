// Carries out that identities are gone: what they had is taken away, `device.revoked` says so, and `identity.onRevoke` is
// done. Remembers for a short while what each of them lost, for the command that asks how it went.

import type { EndedProofs, ProofQuery } from '../ports/admin-view.ts';
import type { OnRevoke } from '../ports/config.ts';
import { type Identity, identityKey } from '../ports/identity.ts';
import type { TakenAway } from '../ports/taken-away.ts';
import { kindOf } from '../ports/users.ts';
import type { Core } from './core.ts';
import { endProofs } from './end-proofs.ts';
import { clearRetained, publishGone } from './retained-left-behind.ts';
import { type TakeAwayParts, takeAway, UNREGISTERED } from './take-away.ts';

export interface RemovalParts extends Pick<TakeAwayParts, 'subjectOf'> {
  /** False for an identity, by its key, that can prove itself no more. */
  readonly isKnown: (owner: string) => boolean;
  /** What authorities may prove; another object once it is something else. */
  readonly authorities: () => unknown;
  readonly onRevoke: OnRevoke;
}

/** What one command ends is reported once, though it comes in pieces: the certificate first, then the registry. */
const ONE_MATTER_MS = 5_000;
const REMEMBERED_MAX = 1_000;

export class Removal {
  readonly #core: Core;
  readonly #parts: RemovalParts;
  #authorities: unknown;
  readonly #lately = new Map<string, { readonly taken: TakenAway; readonly atMs: number }>();

  constructor(core: Core, parts: RemovalParts) {
    this.#core = core;
    this.#parts = parts;
    this.#authorities = parts.authorities();
  }

  /** Certificates were taken back, or authorities prove less: ends what rests on them, of everybody. */
  look(): void {
    const { subjectOf } = this.#parts;
    const gone: Identity[] = [];
    for (const one of takeAway(this.#core, { subjectOf }).values()) {
      if (one.superseded) this.#remember(one);
      else if (this.#settle(one)) gone.push(one.identity);
    }
    const authorities = this.#parts.authorities();
    if (authorities === this.#authorities) return this.#leftBehind(gone);
    this.#authorities = authorities;
    this.#lastWords(gone);
    const keys = new Set(gone.map(identityKey));
    // Of an authority that is gone, those as well who had nothing else.
    this.#clear((owner) => keys.has(owner) || !this.#parts.isKnown(owner));
  }

  /** The registry has changed: ends what this identity had if it can prove itself no more. */
  lookAt(identity: Pick<Identity, 'realm' | 'name'>): void {
    const key = identityKey(identity);
    if (this.#parts.isKnown(key)) return;
    const taken = takeAway(this.#core, { subjectOf: this.#parts.subjectOf, only: key }).get(key);
    const whole: Identity = { kind: kindOf(identity.realm), roles: [], ...identity };
    const losses = taken ?? { ...NOTHING, identity: whole, why: UNREGISTERED };
    if (this.#settle(losses)) this.#leftBehind([losses.identity]);
  }

  /** Proofs that are in no registry were taken back: a name, or a whole realm, loses what it left behind as well. */
  endProofs(query: ProofQuery): EndedProofs {
    const { identities, ...ended } = endProofs(this.#core, query);
    const { realm, name, kind, token } = query;
    if (token !== undefined) return ended;
    if (name === undefined) {
      this.#lastWords(identities.values());
      this.#clear((owner) => owner.startsWith(identityKey({ realm, name: '' })));
      return ended;
    }
    const [known = kind && { realm, name, kind, roles: [] }] = identities.values();
    if (known !== undefined) this.#leftBehind([known]);
    return ended;
  }

  /**
   * Does for those who were taken away while the broker was down what would have been done then: for them whose sessions are
   * `lost`, and for whoever else left something behind.
   */
  async begin(lost: readonly TakenAway[]): Promise<void> {
    const gone = lost.filter((one) => this.#settle(one)).map(({ identity }) => identity);
    this.#lastWords(gone);
    if (this.#parts.onRevoke.kind !== 'clear') return;
    const keys = new Set(gone.map(identityKey));
    await clearRetained(this.#core, (owner) => keys.has(owner) || !this.#parts.isKnown(owner));
  }

  /** What the identity lost lately; undefined if nothing is known of it. */
  lately(identity: Pick<Identity, 'realm' | 'name'>): TakenAway | undefined {
    const known = this.#lately.get(identityKey(identity));
    return known !== undefined && this.#isRecent(known.atMs) ? known.taken : undefined;
  }

  /** Tells of it; true if what the identity left behind is to be dealt with, which one matter asks for once. */
  #settle(taken: TakenAway): boolean {
    const isNew = this.#remember(taken);
    const { identity, why, connections, sessions, queuedMessages, wills } = taken;
    if (!isNew && connections + sessions === 0) return false;
    const losses = { connections, sessions, queuedMessages, wills };
    this.#core.emit('device.revoked', { identity: identityKey(identity), why, ...losses });
    return isNew;
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

  #leftBehind(gone: readonly Identity[]): void {
    this.#lastWords(gone);
    const keys = new Set(gone.map(identityKey));
    if (keys.size > 0) this.#clear((owner) => keys.has(owner));
  }

  #lastWords(gone: Iterable<Identity>): void {
    const { onRevoke } = this.#parts;
    if (onRevoke.kind !== 'publish') return;
    // Its topic is of a device, and a user may have the name of one.
    for (const one of gone) if (one.kind === 'device') publishGone(this.#core, onRevoke.topic, one);
  }

  #clear(isGone: (owner: string) => boolean): void {
    if (this.#parts.onRevoke.kind !== 'clear') return;
    clearRetained(this.#core, isGone).catch((fault: Error) => this.#core.reports.storeFault(fault));
  }

  #isRecent(atMs: number): boolean {
    return this.#core.clock.monotonicMs() - atMs < ONE_MATTER_MS;
  }
}

const NOTHING = { superseded: false, connections: 0, sessions: 0, queuedMessages: 0, wills: 0 };
