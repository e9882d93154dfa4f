// Where the features are tried: a running broker with two devices, a counterpart, a version of MQTT; every test has topics
// of its own, and the clients it leaves behind are ended.

import { afterEach } from 'vitest';
import { Client, type Options } from './client.ts';
import type { Counterpart, Version } from './counterparts.ts';
import type { ListenerName, RunningMotte } from './running-motte.ts';

/** `page` is wss where nobody is asked for a certificate. */
export type Transport = 'tls' | 'wss' | 'page' | 'tcp' | 'ws';

export interface StageOptions {
  readonly counterpart: Counterpart;
  readonly version: Version;
  readonly transport?: Transport;
  readonly motte: () => RunningMotte;
}

/** Both publish below their own name and may read what either publishes. */
export const DEVICES = ['pump', 'panel'] as const;

export class Stage {
  readonly counterpart: Counterpart;
  readonly version: Version;
  readonly #transport: Transport;
  readonly #motte: () => RunningMotte;
  readonly #open = new Set<Client>();

  constructor({ counterpart, version, transport = 'tls', motte }: StageOptions) {
    this.counterpart = counterpart;
    this.version = version;
    this.#transport = transport;
    this.#motte = motte;
    afterEach(() => {
      for (const client of this.#open) client.kill();
      this.#open.clear();
    });
  }

  /** A name that no other test uses; begins client ids and ends topics. */
  name(): string {
    lastName += 1;
    return `t${lastName}`;
  }

  /** A topic that this device may publish to and both may read. */
  topicOf(device: (typeof DEVICES)[number]): string {
    return `devices/${device}/up/${this.name()}`;
  }

  /** A connected client of the device; throws if it was not let in. */
  async client(device: (typeof DEVICES)[number], options: Options = {}): Promise<Client> {
    const client = await this.attempt(device, options);
    if (client.connack.how === 'connected') return client;
    throw new Error(`${device} was not let in: ${JSON.stringify(client.connack)}`);
  }

  /** A client that may or may not have been let in. */
  async attempt(device: (typeof DEVICES)[number], options: Options = {}): Promise<Client> {
    const client = await Client.connect(this.counterpart, {
      ...this.#where(device),
      version: this.version,
      clientId: `${device}/${this.name()}`,
      ...options,
    });
    this.#open.add(client);
    return client;
  }

  #where(device: string): Options {
    const motte = this.#motte();
    const listener = LISTENERS[this.#transport];
    const { ca, cert, key } = motte.device(device);
    const isTls = this.#transport === 'tls' || this.#transport === 'wss';
    return {
      transport: this.#transport === 'page' ? 'wss' : this.#transport,
      host: '127.0.0.1',
      port: motte.port(listener),
      path: '/mqtt',
      ...(isTls ? { ca, cert, key } : {}),
    };
  }
}

/** Over all stages of a test file, which have one broker. */
let lastName = 0;

const LISTENERS: Readonly<Record<Transport, ListenerName>> = {
  tls: 'devices',
  wss: 'web',
  page: 'page',
  tcp: 'lab',
  ws: 'lab-web',
};
