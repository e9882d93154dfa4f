// What the admin API needs to know and do; start-up wiring composes it from the broker, the ring of refusals, the
// registry and the configuration. The API never sees a socket, a session or a store.

import type { AccessDesk } from './access-desk.ts';
import type { Counters } from './counters.ts';
import type { DeviceKey, IdentityDirectory, RegisteredIdentity, Verifier } from './directory.ts';
import type { Identity } from './identity.ts';
import type { Learning } from './learning.ts';
import type { Policies } from './policies.ts';
import type { StoreSnapshot } from './store.ts';
import type { TakenAway } from './taken-away.ts';
import type { TokenDesk } from './token-desk.ts';
import type { Users } from './users.ts';
import type { Layer } from './verdict.ts';

export interface ListenerRow {
  readonly name: string;
  /** With the real port. */
  readonly url: string;
  readonly authentication: string;
  readonly state: 'open' | 'failed' | 'closed';
  readonly connections: number;
  /** Why it is not open. */
  readonly why?: string;
}

/** `connecting` before CONNECT was accepted, `away` = a stored session without a connection. */
export type ClientState = 'connecting' | 'opening' | 'connected' | 'closing' | 'away';

/** One connection or stored session as `motte who` shows it. */
export interface ClientRow {
  /** The connection's number; 0 while away. */
  readonly connection: number;
  readonly state: ClientState;
  /** Empty until CONNECT was read. */
  readonly clientId: string;
  /** NAME for a device of Motte's own CA, else NAME@REALM; empty until proven. */
  readonly identity: string;
  readonly roles: readonly string[];
  readonly listener: string;
  readonly address: string;
  readonly port: number;
  /** 3, 4 or 5; 0 until CONNECT was read. */
  readonly version: number;
  /** Seconds. */
  readonly keepAlive: number;
  /** Seconds the session outlives the connection. */
  readonly sessionExpiry: number;
  /** Wall-clock time in ms. */
  readonly sinceMs: number;
  readonly tls: string;
  /** Key exchange groups that it offered. */
  readonly tlsGroups: string;
  readonly tlsResumed: boolean;
  /** Whole days; null where no certificate proved it. */
  readonly certificateDaysLeft: number | null;
  /** What is weaker than the policy wants, or has ended; empty = nothing. */
  readonly weakness: string;
  readonly subscriptions: number;
  readonly queuedMessages: number;
  readonly inFlight: number;
  readonly unsentBytes: number;
}

/** Any one field that is given selects; none selects nothing. */
export interface KickQuery {
  readonly clientId?: string;
  readonly identity?: string;
  readonly connection?: number;
  /** All of a realm. */
  readonly realm?: string;
}

/** The part of the view that `createBroker` returns. */
export interface BrokerView {
  readonly listeners: readonly ListenerRow[];
  readonly counters: Counters;
  clients(): readonly ClientRow[];
  /** Ends the selected connections with reason `administrative-action`; how many. */
  kick(query: KickQuery): number;
  /** Ends the connections of an identity that may come back, and answers how many; who is gone loses all without being asked for. */
  endConnections(identity: Pick<Identity, 'realm' | 'name'>): number;
  /** What keeps the broker itself from being wholly well. */
  findings(): readonly HealthFinding[];
}

/** What proved identities of a realm and does not any more: one token, all of a name, or all there are. */
export interface ProofQuery {
  readonly realm: string;
  readonly name?: string;
  /** With `name`: what somebody of that name is, also if nothing of him is there to tell. */
  readonly kind?: 'device' | 'user';
  /** Identifier of a token. */
  readonly token?: string;
  readonly because: string;
  readonly rule: string;
}

/** `endsAtMs`: when the latest of these proofs would have ended, in wall-clock ms; 0 = none was connected. */
export interface EndedProofs extends EndedIdentity {
  readonly endsAtMs: number;
}

/** How much of an identity was ended. */
export interface EndedIdentity {
  readonly connections: number;
  readonly sessions: number;
}

/** A refusal as the ring keeps it: every string bounded, control characters escaped. */
export interface RefusalRow {
  readonly id: string;
  /** Wall-clock time in ms of the first and of the latest one. */
  readonly firstMs: number;
  readonly atMs: number;
  /** Equal refusals of one source share a row. */
  readonly count: number;
  readonly layer: Layer;
  readonly reason: string;
  /** MQTT 5.0 code. */
  readonly code: number;
  readonly because: string;
  readonly rule: string;
  readonly seen: string;
  readonly connection: number;
  readonly listener: string;
  readonly address: string;
  readonly identity: string;
  readonly clientId: string;
  readonly packet: string;
  readonly topic: string;
  readonly advice: string;
  /** All of it as lines for a terminal. */
  readonly text: string;
}

/** What an identity lost that was taken away. */
export type Ended = Pick<TakenAway, 'connections' | 'sessions' | 'queuedMessages' | 'wills'>;

/** Something that keeps the broker from being wholly well; `status` prints it and exits 1. */
export interface HealthFinding {
  readonly subject: string;
  readonly why: string;
}

/** A certificate by its end. */
export interface EndingCertificate {
  /** What a listener shows, what signs certificates, what a device shows. */
  readonly kind: 'server' | 'ca' | 'device';
  readonly name: string;
  /** Whether Motte's own authority made it. */
  readonly isOwn: boolean;
  readonly notAfterMs: number;
  /** Another one has another. */
  readonly id: string;
}

/** What a backup takes, all of one moment. */
export interface BackupSource {
  /** Format of the store's records. */
  readonly storeFormat: number;
  readonly files: readonly { readonly name: string; readonly content: Uint8Array }[];
  readonly records: StoreSnapshot;
}

/** A device to be registered; of no realm but one that the configuration knows. */
export interface NewDevice {
  readonly name: string;
  readonly roles: readonly string[];
  /** What it is recognised by, where no certificate proves it. */
  readonly verifier?: Verifier;
  /** ID of the foreign authority that certifies it. */
  readonly ca?: string;
}

export interface AdminView extends BrokerView {
  readonly version: string;
  readonly pid: number;
  readonly phase: 'starting' | 'serving' | 'stopping';
  /** Wall-clock time in ms. */
  readonly startedAtMs: number;
  readonly configNumber: number;
  findings(): readonly HealthFinding[];
  /** Certificates that end next; of devices only those that do so soon. */
  ending(): readonly EndingCertificate[];
  /**
   * SHA-256 of the root that the broker's certificate leads to, and of all roots that devices may come from; `separated` is
   * false while the authority runs as the broker's own user.
   */
  authority(): { readonly fingerprint: string; readonly trusted: readonly string[]; readonly separated: boolean };
  /** `last`, a client id, a device, an address or an id; newest first. */
  refusals(query: string, max: number): readonly RefusalRow[];
  readonly directory: IdentityDirectory;
  /** Durable when the promise resolves; also makes the event `device.added`. Without a verifier a certificate proves it. */
  addDevice(device: NewDevice): Promise<void>;
  readonly users: Users;
  readonly tokens: TokenDesk;
  readonly policies: Policies;
  readonly access: AccessDesk;
  readonly learning: Learning;
  /**
   * Both: durable when the promise resolves, and what does not hold any more has ended, revocations up to that number included.
   * A foreign device that was never registered can be disabled: its authority may let it in by itself. MOT-0413.
   */
  changeDevice(device: DeviceKey, state: RegisteredIdentity['state'], revocation: number): Promise<Ended>;
  removeDevice(device: DeviceKey, revocation: number): Promise<Ended>;
  /** The effective configuration as `motte config show --json` prints it. */
  config(): Readonly<Record<string, unknown>>;
  /** Everything that is stored now; the caller closes its records. Throws MOT-0801 where nothing outlives the process. */
  openBackup(): BackupSource;
}
