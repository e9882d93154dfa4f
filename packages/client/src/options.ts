// What a caller may choose, and what it gets back.

import type { Connack, Properties, ProtocolVersion, QoS, Reason, SubscriptionRequest, Will } from '@motte/wire';
import type { LocalReason } from './mqtt-error.ts';
import type { Timers } from './timers.ts';
import type { OpenTransport } from './transport.ts';

export interface ClientOptions {
  readonly transport: OpenTransport;
  /** Default 5. */
  readonly version?: ProtocolVersion;
  /** Default empty: the server assigns one. */
  readonly clientId?: string;
  /** Default true. */
  readonly cleanStart?: boolean;
  /** Seconds; 0 turns it off; default 60. A Server Keep Alive replaces it. */
  readonly keepAlive?: number;
  readonly will?: Will;
  readonly userName?: string;
  readonly password?: Uint8Array;
  readonly properties?: Properties<'connect'>;
  /** First handler for messages: the server may send some right behind CONNACK when a session goes on. */
  readonly onMessage?: (message: IncomingMessage) => void;
  /** `manual`: a message counts as received only once its `ack` is called. Default automatic, after the handlers. */
  readonly acknowledge?: 'automatic' | 'manual';
  /** Messages that may wait for their turn to be sent; default 1,000. */
  readonly queueMessagesMax?: number;
  /** Largest packet taken from the server, in bytes; default 268,435,460, the largest there can be. */
  readonly packetBytesMax?: number;
  /** Milliseconds from opening the transport to CONNACK; default 10,000. */
  readonly connectDeadlineMs?: number;
  /** Answers a round of enhanced authentication (4.12): the server's data in, ours out. */
  readonly authenticate?: (data: Uint8Array | undefined) => Uint8Array | undefined | Promise<Uint8Array | undefined>;
  readonly timers?: Timers;
}

export interface PublishOptions {
  /** Default 0. */
  readonly qos?: QoS;
  readonly retain?: boolean;
  readonly properties?: Properties<'publish'>;
}

/** What became of a PUBLISH: `success`, or `no-matching-subscribers` where the server says so. */
export interface PublishResult {
  readonly reason: Reason | 'unknown-reason-code';
  readonly code: number;
}

/** A topic filter with the options that differ from QoS 0, no No Local, retained messages sent and flag cleared. */
export type Subscription = Pick<SubscriptionRequest, 'filter'> & Partial<SubscriptionRequest>;

export interface IncomingMessage {
  /** The real topic: a topic alias is resolved already. */
  readonly topic: string;
  readonly payload: Uint8Array;
  readonly qos: QoS;
  readonly retain: boolean;
  readonly dup: boolean;
  readonly properties: Properties<'publish'>;
  /** Sends PUBACK or PUBREC; does nothing for QoS 0 or when called again. `code` only in MQTT 5.0. */
  ack(code?: number): void;
}

/** How a connection ended. `code` is the byte of the server's DISCONNECT, where there was one. */
export interface Closed {
  readonly reason: Reason | LocalReason;
  readonly code: number | undefined;
  readonly byPeer: boolean;
  /** One sentence for a person. */
  readonly message: string;
}

export interface MqttClient {
  readonly version: ProtocolVersion;
  /** The one in use: ours, or the one the server assigned. */
  readonly clientId: string;
  readonly connack: Connack;
  /** Resolves when the connection is gone; never rejects. */
  readonly closed: Promise<Closed>;
  /** Resolves when written (QoS 0), on PUBACK (1) or PUBCOMP (2); rejects with MqttError when refused or lost. */
  publish(topic: string, payload: Uint8Array | string, options?: PublishOptions): Promise<PublishResult>;
  /** Resolves with one code per filter; rejects with MqttError, codes included, when any was refused. */
  subscribe(
    subscriptions: string | readonly (string | Subscription)[],
    properties?: Properties<'subscribe'>,
  ): Promise<readonly number[]>;
  unsubscribe(filters: string | readonly string[]): Promise<readonly number[]>;
  /** Adds a handler for every message; returns what removes it. */
  onMessage(handler: (message: IncomingMessage) => void): () => void;
  /** Resolves on PINGRESP. */
  ping(): Promise<void>;
  /** Sends DISCONNECT and closes; `code` and properties only in MQTT 5.0. Resolves when the connection is gone. */
  disconnect(code?: number, properties?: Properties<'disconnect'>): Promise<void>;
  /** Drops the connection without DISCONNECT: the server sees a failed network. */
  destroy(): void;
}
