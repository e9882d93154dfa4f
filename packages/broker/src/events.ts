// The catalogue of everything that can happen. One declaration feeds log, audit log, documents and test assertions;
// nothing is logged that does not stand here. Events are built only when someone listens.

import type { Reason } from '@motte/wire';
import type { Layer } from './ports/verdict.ts';

export type Level = 'debug' | 'info' | 'warn' | 'error';

/** Who an event is about; every field that is known. */
export interface Who {
  readonly connection?: number;
  readonly listener?: string;
  readonly address?: string;
  readonly identity?: string;
  readonly clientId?: string;
}

interface Fields {
  'broker.started': { readonly listeners: readonly string[] };
  'broker.stopping': { readonly why: string };
  /** `unfinished`: clients whose exchanges were not over in time. */
  'broker.stopped': { readonly unfinished: number };
  'listener.opened': { readonly listener: string; readonly url: string };
  'listener.failed': { readonly listener: string; readonly url: string; readonly why: string };
  'listener.closed': { readonly listener: string; readonly url: string };
  'client.connected': Who & {
    readonly version: number;
    readonly cleanStart: boolean;
    readonly sessionPresent: boolean;
    readonly keepAlive: number;
  };
  'client.disconnected': Who & { readonly reason: string; readonly byPeer: boolean };
  'client.subscribed': Who & { readonly filter: string; readonly qos: number };
  'client.unsubscribed': Who & { readonly filter: string };
  /** Anything that was refused, from a socket to a topic filter; fills the ring that `motte why` reads. */
  'peer.refused': Who & {
    readonly layer: Layer;
    readonly reason: Reason;
    readonly because: string;
    readonly rule: string;
    /** The packet it came with, lower case; absent before the first. */
    readonly packet?: string;
    readonly topic?: string;
    /** What the peer saw: the code sent, or that the connection just closed. */
    readonly seen: string;
  };
  /** A client that was let in, or stays, although it is weaker than the policy wants; `motte why` shows it as well. */
  'client.flagged': Who & { readonly because: string; readonly rule: string };
  'session.taken-over': Who;
  'session.expired': Who;
  'session.discarded': Who & { readonly why: string };
  'store.opened': { readonly sessions: number; readonly retained: number };
  'store.damaged': { readonly why: string };
  'store.recovered': Record<never, never>;
  'session.dropped-message': Who & { readonly topic: string; readonly why: string; readonly qos: number };
  /** Memory or the event loop is short of something; `stage` counts from 1, and what follows from it stands in `why`. */
  'overload.entered': { readonly what: 'memory' | 'event loop'; readonly stage: number; readonly why: string };
  'overload.left': { readonly what: 'memory' | 'event loop'; readonly stage: number; readonly why: string };
  'will.published': Who & { readonly topic: string };
  'will.refused': Who & { readonly topic: string; readonly because: string };
  'device.added': { readonly identity: string; readonly roles: readonly string[] };
  'user.added': { readonly identity: string; readonly roles: readonly string[] };
  'user.changed': { readonly identity: string; readonly connections: number };
  'user.removed': { readonly identity: string; readonly connections: number; readonly sessions: number };
  /** A token, or all of a name, is taken no more; what ended with it. */
  'token.revoked': {
    readonly issuer: string;
    readonly token?: string;
    readonly identity?: string;
    readonly connections: number;
    readonly sessions: number;
  };
  'token.lifted': { readonly issuer: string; readonly token?: string; readonly identity?: string };
  'issuer.added': { readonly issuer: string; readonly audience: string };
  'issuer.removed': { readonly issuer: string; readonly connections: number; readonly sessions: number };
  /** What it took from whom stays connected no more, and from stored sessions. */
  'policy.applied': {
    readonly version: number;
    readonly by: string;
    readonly why: string;
    readonly subscriptions: number;
    readonly connections: number;
  };
  /** Somebody asked what rules an identity needs. */
  'watch.began': { readonly identity: string; readonly seconds: number };
  'watch.ended': {
    readonly identity: string;
    readonly why: string;
    readonly topics: number;
    readonly filters: number;
    readonly refusals: number;
  };
  'device.renewed': { readonly identity: string };
  /** `fingerprint` is that of the key that asks. */
  'device.asked': { readonly identity: string; readonly request: string; readonly fingerprint: string };
  'clock.behind': { readonly why: string };
  'clock.right': Record<never, never>;
  /** At most once a day for each certificate; `daysLeft` is below 0 once it has ended. */
  'certificate.ending': {
    readonly kind: 'server' | 'ca' | 'device';
    readonly subject: string;
    readonly notAfter: string;
    readonly daysLeft: number;
  };
  /** What ended with it; `wills` were cancelled, not published. */
  'device.revoked': {
    readonly identity: string;
    readonly why: string;
    readonly connections: number;
    readonly sessions: number;
    readonly queuedMessages: number;
    readonly wills: number;
  };
  /** `until`: when the first list of it ends. */
  'revocation.list-read': {
    readonly ca: string;
    readonly place: string;
    readonly revoked: number;
    readonly until: string;
  };
  'revocation.list-refused': { readonly ca: string; readonly place: string; readonly why: string };
  'revocation.responder-failed': { readonly ca: string; readonly place: string; readonly why: string };
  'revocation.responder-answers': { readonly ca: string; readonly place: string };
  'revocation.stale': { readonly ca: string; readonly why: string };
  /** `pauseMs`: for how long it is not read now. */
  'client.slowed': Who & {
    readonly quota: string;
    readonly max: number;
    readonly role: string;
    readonly pauseMs: number;
  };
  'store.fault': { readonly why: string };
  /** A bug of ours: counted, and a test that meets one fails. */
  'broker.assertion': Who & { readonly why: string };
}

export type EventName = keyof Fields;

export type BrokerEvent = {
  [N in EventName]: { readonly name: N; readonly atMs: number } & Fields[N];
}[EventName];

/** What each event's emitter passes: the fields without name and time. */
export type EventFields<N extends EventName> = Fields[N];

/** Log level and one sentence of each event, for log and reference. */
export const EVENTS: { readonly [N in EventName]: { readonly level: Level; readonly text: string } } = {
  'broker.started': { level: 'info', text: 'every listener accepts connections' },
  'broker.stopping': { level: 'info', text: 'the broker was asked to end' },
  'broker.stopped': { level: 'info', text: 'every client was told, and everything staged is on the disk' },
  'listener.opened': { level: 'info', text: 'a listener accepts connections' },
  'listener.failed': { level: 'error', text: 'a listener could not be opened' },
  'listener.closed': { level: 'info', text: 'a listener is not needed any more and accepts nothing' },
  'client.connected': { level: 'info', text: 'a client was proven and has its session' },
  'client.disconnected': { level: 'info', text: 'a connection ended' },
  'client.subscribed': { level: 'debug', text: 'a subscription was granted' },
  'client.unsubscribed': { level: 'debug', text: 'a subscription was removed' },
  'peer.refused': { level: 'warn', text: 'a peer was refused' },
  'client.flagged': { level: 'warn', text: 'a client is weaker than the policy wants' },
  'client.slowed': { level: 'warn', text: 'a client publishes more than its quota and is read more slowly' },
  'session.taken-over': { level: 'info', text: 'the same client connected again and took its session' },
  'session.expired': { level: 'info', text: 'a session reached its end' },
  'session.discarded': { level: 'warn', text: 'a stored session was given up at the start' },
  'store.opened': { level: 'info', text: 'what was stored is back' },
  'store.damaged': { level: 'error', text: 'something stored is damaged and was set apart' },
  'store.recovered': { level: 'info', text: 'what could not be stored is stored again' },
  'session.dropped-message': { level: 'warn', text: 'a message owed to a session was given up' },
  'overload.entered': { level: 'warn', text: 'the broker is pressed: somebody has to go without' },
  'overload.left': { level: 'info', text: 'the broker is less pressed' },
  'will.published': { level: 'info', text: 'a will message was published' },
  'will.refused': { level: 'warn', text: 'a will message was not allowed when it was due' },
  'device.added': { level: 'info', text: 'a device was enrolled' },
  'user.added': { level: 'info', text: 'a user was added' },
  'user.changed': { level: 'info', text: 'a user got a new password' },
  'user.removed': { level: 'info', text: 'a user was removed, and everything of it ended' },
  'token.revoked': { level: 'warn', text: 'a token, or all tokens of a name, were revoked' },
  'token.lifted': { level: 'warn', text: 'a revocation of tokens was taken back' },
  'issuer.added': { level: 'info', text: 'tokens of a further issuer are taken' },
  'issuer.removed': {
    level: 'warn',
    text: 'tokens of an issuer are not taken any more, and what rested on them ended',
  },
  'policy.applied': { level: 'warn', text: 'another policy is in force' },
  'watch.began': { level: 'warn', text: 'what an identity does is written down, for rules that it needs' },
  'watch.ended': { level: 'info', text: 'an identity is not watched any more' },
  'device.renewed': { level: 'info', text: 'a device got a new certificate' },
  'device.asked': { level: 'warn', text: 'a device waits for approval: `motte device requests`' },
  'clock.behind': {
    level: 'error',
    text: 'the clock is behind a time that was known: no certificate or token is judged',
  },
  'clock.right': { level: 'info', text: 'the clock is not behind any more' },
  'certificate.ending': { level: 'warn', text: 'a certificate ends within 30 days, or has ended' },
  'device.revoked': { level: 'warn', text: 'an identity was taken away, and what it had with it' },
  'revocation.list-read': { level: 'info', text: 'a revocation list of another authority is in force' },
  'revocation.list-refused': { level: 'error', text: 'a revocation list could not be used; what was known stays so' },
  'revocation.responder-failed': { level: 'error', text: 'a responder gives no answer that can be believed' },
  'revocation.responder-answers': { level: 'info', text: 'a responder gives answers' },
  'revocation.stale': { level: 'error', text: 'a revocation list has ended, and there is no newer one' },
  'store.fault': { level: 'error', text: 'the store could not do its work' },
  'broker.assertion': { level: 'error', text: 'an invariant of the broker was broken' },
};

/** Where events go; `wanted` lets a caller skip building one. */
export interface Emit {
  <N extends EventName>(name: N, fields: EventFields<N>): void;
  /** False while nobody listens to events of this level. */
  wanted(level: Level): boolean;
}
