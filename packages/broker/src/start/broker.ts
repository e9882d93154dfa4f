// What a broker is made of and what it can do: the types of start.ts, which puts it together.

import type { Duplex } from 'node:stream';
import type { Policy } from '../access/policy.ts';
import type { Level } from '../events.ts';
import type { Proof } from '../identity/authenticate.ts';
import type { TrustFacts } from '../identity/guards.ts';
import type { AuthenticationMethods } from '../identity/methods.ts';
import type { Access } from '../ports/access.ts';
import type { BrokerView, EndedProofs, ProofQuery } from '../ports/admin-view.ts';
import type { Clock, Random } from '../ports/clock.ts';
import type { BrokerConfig, TlsMaterial } from '../ports/config.ts';
import type { ConnectionFacts } from '../ports/connection-facts.ts';
import type { IdentityDirectory } from '../ports/directory.ts';
import type { CheckOutsider, Guards } from '../ports/guards.ts';
import type { Identity } from '../ports/identity.ts';
import type { Observer } from '../ports/observer.ts';
import type { LostRights, PolicyReplay } from '../ports/policies.ts';
import type { Gauge } from '../ports/pressure.ts';
import type { Store } from '../ports/store.ts';
import type { TakenAway } from '../ports/taken-away.ts';
import type { CertificateInUse } from '../ports/trust.ts';
import type { Watch } from '../ports/watch.ts';

export interface BrokerParts {
  readonly config: BrokerConfig;
  /** What TLS listeners present and trust; they cannot be opened without it. */
  readonly tls?: TlsMaterial;
  readonly directory: IdentityDirectory;
  readonly trust: TrustFacts;
  /** What proves an identity beside certificates, and the methods of enhanced authentication. */
  readonly proofs?: readonly Proof[];
  readonly methods?: AuthenticationMethods;
  readonly checkOutsider?: CheckOutsider;
  /** Why nobody knows what time it is; see identity/time-proof.ts. */
  readonly timeUnknown?: () => string | undefined;
  readonly observers?: readonly Observer[];
  /** Each of these replaces what the broker would make itself. */
  readonly clock?: Clock;
  readonly random?: Random;
  readonly gauge?: Gauge;
  readonly store?: Store;
  /** In force from the start; absent = the built-in one. */
  readonly policy?: Policy;
  readonly access?: Access;
  readonly guards?: Guards;
}

export interface Broker extends BrokerView {
  /** Brings back the sessions that the store kept, and ends what was taken away meanwhile. `open` does it. */
  restore(): Promise<void>;
  /** Restores, then opens every listener; throws a Fault that names the first one that cannot be. */
  open(): Promise<void>;
  /** Serves a stream that did not come through a listener. */
  accept(stream: Duplex, facts: Pick<ConnectionFacts, 'listener'> & Partial<ConnectionFacts>): void;
  /** New certificate or trust; live connections keep theirs. */
  setTls(material: TlsMaterial): void;
  /** Certificates were taken back, or an authority may prove less: ends what rests on them. What the registry says is seen without being told. */
  lookForRevoked(): void;
  /** Proofs that are in no registry were taken back: ends what rests on them. */
  endProofs(query: ProofQuery): EndedProofs;
  /** What proved those who are connected, where a certificate did. */
  certificatesInUse(): CertificateInUse[];
  /** Puts another policy in force at once; answers what ended with it. Where another access was given it decides nothing. */
  usePolicy(policy: Policy): Promise<LostRights>;
  /** What another policy would mean for the sessions that are there; changes nothing. */
  replayPolicy(policy: Policy): Promise<PolicyReplay>;
  /**
   * Writes down what the identity asks for, until `seconds` are over or somebody ends it. Undefined if it is watched already, or
   * as many are as may be. Where another access was given nothing is seen.
   */
  watch(identity: Pick<Identity, 'realm' | 'name'>, seconds: number): Watch | undefined;
  /** The watch of the identity that is under way. */
  watchOf(identity: Pick<Identity, 'realm' | 'name'>): Watch | undefined;
  /** What an identity lost that was taken away just now, once that is on the disk; undefined = nothing is known of it. */
  takenFrom(identity: Pick<Identity, 'realm' | 'name'>): Promise<TakenAway | undefined>;
  /** Ends the observer when the answer is called. */
  observe(observer: Observer, from?: Level): () => void;
  /** Lets due deadlines pass; the broker does it itself once it is open. `lateMs`: how long it was too busy to do so. */
  tick(lateMs?: number): void;
  /**
   * Stops accepting, lets exchanges that are under way finish for up to `graceMs`, tells every client, and closes the store.
   * Rejects if what was staged could not be written.
   */
  stop(graceMs: number): Promise<void>;
}
