// One network connection as the core sees it, from accept to close. Knows its state and its quotas; what each packet
// does stands in handle/. Bytes and sockets are the link's.

import { type Connect, PeerError, type ProtocolVersion, type Will } from '@motte/wire';
import type { ConnectionFacts } from '../ports/connection-facts.ts';
import type { Authentication, Challenge } from '../ports/guards.ts';
import type { Identity } from '../ports/identity.ts';
import type { Link } from '../ports/link.ts';
import type { Ticket } from '../ports/store.ts';
import { refuse } from '../ports/verdict.ts';
import type { Core } from './core.ts';
import type { Flood } from './flood.ts';
import { type AckType, PendingAcks } from './pending-acks.ts';
import { ReceiveQuota } from './receive-quota.ts';
import type { RefusalFacts } from './reports.ts';
import type { Session } from './session.ts';
import type { IncomingAliases, OutgoingAliases } from './topic-aliases.ts';

/** `connecting` waits for CONNECT, `proving` for the guards (or AUTH), `opening` for the store. */
export type ClientState = 'connecting' | 'proving' | 'opening' | 'open' | 'closed';

/** Largest packet a client can announce; the default without Maximum Packet Size. */
const ANY_SIZE = 0xffff_ffff;

/** The part of `unsentBytesMax` that a client may leave unread when memory is short: by default 16 KiB. */
const UNSENT_WHEN_SHORT = 1 / 64;

/** Answers that may wait for the store before the client is not read: a slow disk is no reason to hold more. */
const ACKS_MAX = 1024;

const GUARD_FAILED = refuse('server-unavailable', 'the proof of identity could not be carried out', 'guards');

export class Client {
  readonly core: Core;
  readonly link: Link;
  readonly facts: ConnectionFacts;
  state: ClientState = 'connecting';
  clientId = '';
  /** Who it was proven to be, also when it was refused afterwards. */
  identity: Identity | undefined = undefined;
  session: Session | undefined = undefined;
  /** The CONNECT while it is worked on. */
  connect: Connect | undefined = undefined;
  sessionPresent = false;
  will: Will | undefined = undefined;
  /** 0 = none. */
  keepAliveSeconds = 0;
  /** Monotonic ms when the peer was last heard. */
  heardAtMs: number;
  /** Monotonic ms since when the guards, or the client in an exchange with them, owe an answer. */
  provingSinceMs = 0;
  /** Monotonic ms since when a packet is incomplete; 0 = none is. */
  partialSinceMs = 0;
  /** QoS 1 and 2 messages that may be under way to the client. */
  window = 0;
  /** The client's Maximum Packet Size. */
  packetBytesMax = ANY_SIZE;
  problemInformation = true;
  incomingAliases: IncomingAliases | undefined = undefined;
  outgoingAliases: OutgoingAliases | undefined = undefined;
  /** Authentication Method of CONNECT [MQTT-4.12.0-1]. */
  method: string | undefined = undefined;
  challenge: Challenge | undefined = undefined;
  /** The guards owe an answer. */
  isProving = false;
  /** What is weak about the way it came, where the policy lets it in all the same; empty = nothing. */
  weakness = '';
  /** Wall-clock ms at which the proof of identity ends; 0 = never. */
  proofEndsAtMs = 0;
  /** It has ended, and the listener lets the client stay until it goes by itself. */
  outlivesProof = false;
  /** The identifier of the token that proved it; undefined if none did, or it has none. */
  token: string | undefined = undefined;
  readonly acks = new PendingAcks();
  /** Of its QoS 2 messages; not used before MQTT 5.0. */
  readonly receiveQuota = new ReceiveQuota();
  /** A client for which too much is unfinished is not read until acknowledgements have left. */
  held = false;
  private heldForAnswers = false;
  /** Monotonic ms until which it is not read, having published more than its quota; 0 = it is. */
  private slowedUntilMs = 0;
  /** Monotonic ms from which on it may be said again that it is slowed. */
  slowToldMs = 0;
  /** The broker ends, and the client began something new all the same: it is not read any more, and told once it has its answers. */
  isLeaving = false;
  /** Made with the first refusal that does not end the connection. */
  refusals: Flood<RefusalFacts> | undefined = undefined;
  /** A broken invariant met while delivering to this client; its own connection ends with it. */
  fault: unknown = undefined;

  constructor(core: Core, link: Link, facts: ConnectionFacts) {
    this.core = core;
    this.link = link;
    this.facts = facts;
    this.heardAtMs = core.monotonicMs;
  }

  /** Set by CONNECT; 4 until then. */
  get version(): ProtocolVersion {
    return this.link.version;
  }

  /** False while frames must wait in the reader. */
  get accepting(): boolean {
    // A peer that asks and does not read the answers is not asked further: its answers would have no bound.
    if (this.held || this.isLeaving || this.link.congested) return false;
    return (
      this.state === 'open' || this.state === 'connecting' || (this.state === 'proving' && this.challenge !== undefined)
    );
  }

  /** Largest frame the reader may take now: small until the peer is proven. */
  get frameBytesMax(): number {
    return this.state === 'open' ? this.core.limits.packetBytesMax : this.core.limits.connectBytesMax;
  }

  /** False while a QoS 0 message for it is given up: it does not read, and when memory is short that is seen sooner. */
  get takesQoS0(): boolean {
    const { link, core } = this;
    if (link.congested) return false;
    return core.pressure.stage < 3 || link.unsentBytes <= core.limits.unsentBytesMax * UNSENT_WHEN_SHORT;
  }

  get quota(): number {
    return this.session === undefined ? 0 : this.window - this.session.sent.size;
  }

  get hasQuota(): boolean {
    return this.quota > 0 && !this.link.congested;
  }

  /** Acknowledges in the order of the packets: at once if nothing is waited for, else behind what is. */
  acknowledge(type: AckType, packetId: number, reasonCode: number, ticket: Ticket): void {
    if (this.acks.empty && (ticket === 0 || this.core.store.isCommitted(ticket))) {
      if (type !== 0) this.link.ack(type, packetId, reasonCode);
      return;
    }
    this.wait(type, packetId, reasonCode, ticket, undefined);
  }

  /** The same for a packet that is encoded already. */
  answer(packet: Uint8Array, ticket: Ticket): void {
    if (this.acks.empty && (ticket === 0 || this.core.store.isCommitted(ticket))) {
      this.link.write(packet);
      return;
    }
    this.wait(0, 0, 0, ticket, packet);
  }

  /** Called by the store's commits. */
  committed(upTo: Ticket): void {
    this.acks.release(upTo, this.link);
    this.readOn();
    if (this.acks.empty && !this.held) this.core.waiting.delete(this);
  }

  /** Stops reading a client for which too much is unfinished and that cannot be told; commits let it go on. */
  hold(): void {
    this.held = true;
    this.core.waiting.add(this);
  }

  /** The same until every answer is out: what comes next may end the connection, and would take them with it. */
  holdForAnswers(): void {
    if (this.acks.empty) return;
    this.heldForAnswers = true;
    this.hold();
  }

  /** Stops reading a client that publishes more than its quota, for so long from now; 0 = it owes nothing any more. */
  slowFor(ms: number): void {
    this.slowedUntilMs = this.core.monotonicMs + ms;
    if (ms > 0) this.hold();
  }

  /** Reads on as soon as enough is finished and its quota allows it. */
  readOn(): void {
    const { limits, store, monotonicMs } = this.core;
    // A broker that ends waits for exchanges, not for debts.
    if (this.slowedUntilMs > monotonicMs && this.core.stopping === undefined) return;
    this.slowedUntilMs = 0;
    if (this.heldForAnswers && !this.acks.empty) return;
    this.heldForAnswers = false;
    if (!this.held || this.acks.pubacks >= limits.receiveMaximum || this.acks.size >= ACKS_MAX) return;
    if (store.stagedBytes > limits.stagedBytesMax) return;
    this.held = false;
    // What it sent meanwhile is still on its way to us: it was not the one who was silent.
    this.heardAtMs = monotonicMs;
    this.link.resume();
  }

  private wait(
    type: AckType,
    packetId: number,
    reasonCode: number,
    ticket: Ticket,
    packet: Uint8Array | undefined,
  ): void {
    this.acks.push(type, packetId, reasonCode, ticket, packet);
    this.core.waiting.add(this);
    if (this.acks.size >= ACKS_MAX) this.hold();
  }

  /** Goes on with `then` once the guards have answered, unless the connection is gone by then. */
  settle(ask: () => Promise<Authentication>, then: (client: Client, outcome: Authentication) => void): void {
    this.provingSinceMs = this.core.monotonicMs;
    this.isProving = true;
    const answer = (outcome: Authentication): void => {
      this.isProving = false;
      if (this.state !== 'closed') this.link.run(() => then(this, outcome));
    };
    // A guard that throws says no, like one that does not answer in time.
    const failed = (): void => answer(GUARD_FAILED);
    try {
      ask().then(answer, failed);
    } catch {
      failed();
    }
  }

  /** Called by the link when the peer has taken what congested it. */
  drained(): void {
    if (this.session !== undefined) this.core.drain(this.session);
  }

  /** Aliases that the client set; there are none before MQTT 5.0, and wire refuses the property there. */
  get aliases(): IncomingAliases {
    if (this.incomingAliases === undefined)
      throw new PeerError('topic-alias-invalid', 'MQTT-3.3.2-9', 'no topic aliases here');
    return this.incomingAliases;
  }
}
