// The ways to prove who one is, with what a client needs for each: a broker with a listener for every one of them, over mqtts
// and over wss, and somebody of each kind who is known to it.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openAdmin } from '@motte/admin';
import { motte, type Started, startBroker } from '../../../packages/motte/src/testing/program.ts';
import { keySetOf, TestIssuer } from '../../fixtures/tokens.ts';
import { freePort } from '../running-motte.ts';

export const TRANSPORTS = ['mqtts', 'wss'] as const;
export type Transport = (typeof TRANSPORTS)[number];

/** By the listener that takes it, and the identity that it proves. */
export const METHODS = {
  'certificate EC': { listener: 'certificate', identity: 'ec' },
  'certificate RSA': { listener: 'certificate', identity: 'rsa' },
  password: { listener: 'password', identity: 'ada@password' },
  token: { listener: 'token', identity: 'robot@token:plant' },
  'method JWT': { listener: 'token', identity: 'robot@token:plant' },
  SCRAM: { listener: 'scram', identity: 'grace@scram' },
  PSK: { listener: 'psk', identity: 'board@psk' },
} as const satisfies Readonly<Record<string, { readonly listener: string; readonly identity: string }>>;
export type Method = keyof typeof METHODS;

/** What a client is told to prove, and where. */
export interface Task {
  readonly method: Method;
  readonly transport: Transport;
  readonly port: number;
  readonly clientId: string;
  /** Path of the CA that the broker's certificate leads to. */
  readonly ca: string;
  /** Paths. */
  readonly pair?: { readonly cert: string; readonly key: string };
  readonly login?: { readonly userName: string; readonly password: string };
  /** A token for the authentication method `JWT`. */
  readonly jwt?: string;
  readonly scram?: { readonly name: string; readonly password: string };
  /** The key in hexadecimal. */
  readonly psk?: { readonly identity: string; readonly key: string };
}

export class ProofStage {
  readonly #folder = mkdtempSync(join(tmpdir(), 'motte-proofs-'));
  readonly #ports = new Map<string, number>();
  readonly #plant = new TestIssuer('ES256');
  #broker: Started | undefined;

  async start(): Promise<void> {
    const data = this.#data;
    mkdirSync(data, { mode: 0o700 });
    writeFileSync(this.#path('keys.json'), keySetOf(this.#plant.jwk));
    writeFileSync(this.#path('password'), PASSWORD, { mode: 0o600 });
    const listeners: string[] = [];
    for (const listener of new Set(Object.values(METHODS).map((one) => one.listener))) {
      listeners.push(`  - { name: ${listener}-mqtts, url: "mqtts://127.0.0.1:0", authentication: ${listener} }`);
      if (listener === 'psk') continue;
      // Paho names the listener that it calls as its Origin; one with an Origin is let in only where that is listed.
      const port = await freePort();
      listeners.push(
        `  - { name: ${listener}-wss, url: "wss://127.0.0.1:${port}/mqtt", authentication: ${listener}, origins: ["https://127.0.0.1:${port}"] }`,
      );
    }
    writeFileSync(
      join(data, 'motte.yaml'),
      `listeners:\n${listeners.join('\n')}\nconsole: off\nlog: { shape: json }\n`,
    );
    this.#broker = await startBroker(data);
    for (const { name, url } of (await openAdmin(data).status()).listeners) {
      this.#ports.set(name, Number(/:([0-9]+)(?:\/|$)/.exec(url)?.[1]));
    }
    // All may read what some of the clients insist on subscribing to.
    const role = ['--role', 'operator'];
    const password = ['--password-file', this.#path('password'), ...role];
    await this.#run('device', 'add', 'ec', ...role);
    await this.#run('device', 'add', 'rsa', '--key-type', 'rsa', ...role);
    await this.#run('device', 'add', 'board', '--psk', ...role);
    await this.#run('user', 'add', 'ada', ...password);
    await this.#run('user', 'add', 'grace', '--scram', ...password);
    await this.#run('token', 'add', 'plant', '--audience', 'motte', '--jwks', this.#path('keys.json'), ...role);
  }

  task(method: Method, transport: Transport, client: string): Task {
    const { listener, identity } = METHODS[method];
    const [name = ''] = identity.split('@');
    const port = this.#ports.get(`${listener}-${transport}`);
    if (port === undefined) throw new Error(`no listener for ${method} over ${transport}`);
    const place = { method, transport, port, clientId: `${name}/${client}`, ca: this.#path('ec/ca.crt') };
    const token = (): string =>
      this.#plant.token({ iss: 'plant', aud: 'motte', sub: name, exp: Math.floor(Date.now() / 1000) + 300 });
    switch (method) {
      case 'certificate EC':
      case 'certificate RSA':
        return { ...place, pair: { cert: this.#path(`${name}/${name}.crt`), key: this.#path(`${name}/${name}.key`) } };
      case 'password':
        return { ...place, login: { userName: name, password: PASSWORD } };
      case 'token':
        return { ...place, login: { userName: name, password: token() } };
      case 'method JWT':
        return { ...place, jwt: token() };
      case 'SCRAM':
        return { ...place, scram: { name, password: PASSWORD } };
      case 'PSK': {
        const key = readFileSync(this.#path(`${name}/${name}.psk`), 'utf8').trim();
        return { ...place, psk: { identity: name, key } };
      }
    }
  }

  /** As whom the broker has this client; undefined = it is not connected. */
  async identityOf(clientId: string): Promise<string | undefined> {
    const { clients } = await openAdmin(this.#data).clients();
    return clients.find((one) => one.clientId === clientId && one.state === 'connected')?.identity;
  }

  async stop(): Promise<void> {
    this.#broker?.child.kill('SIGTERM');
    await this.#broker?.exited;
    rmSync(this.#folder, { recursive: true, force: true });
  }

  get #data(): string {
    return this.#path('data');
  }

  #path(name: string): string {
    return join(this.#folder, name);
  }

  async #run(...args: string[]): Promise<void> {
    const { exit, err } = await motte([...args, '--data', this.#data], this.#folder);
    if (exit !== 0) throw new Error(`${args.join(' ')} ended with ${exit}: ${err}`);
  }
}

const PASSWORD = 'correct horse battery';
