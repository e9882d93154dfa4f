// Clients that behave, while others do not: publishers with numbered messages and subscribers that account for each, over
// plain TCP and over TLS, at every QoS and version. They must not notice anything.

import {
  connectClient,
  type IncomingMessage,
  type MqttClient,
  type OpenTransport,
  tcpTransport,
  tlsTransport,
} from '@motte/client';
import type { ProtocolVersion, QoS } from '@motte/wire';
import type { DeviceFiles } from './broker-process.ts';

/** Between two messages of a publisher, in ms. */
const PACE_MS = 50;
/** As much as the limits of the broker allow: an answer to PINGREQ may take as long on a machine that others use. */
const KEEP_ALIVE_SECONDS = 5;

interface FlowOptions {
  readonly name: string;
  readonly topic: string;
  readonly qos: QoS;
  readonly version: ProtocolVersion;
  readonly publisher: OpenTransport;
  readonly subscriber: OpenTransport;
  readonly publisherId: string;
  readonly subscriberId: string;
}

export interface FlowReport {
  readonly name: string;
  readonly qos: QoS;
  readonly sent: number;
  readonly received: number;
  readonly latencyMs: { readonly p50: number; readonly p99: number; readonly max: number };
}

class Flow {
  readonly wrong: string[] = [];
  readonly #options: FlowOptions;
  readonly #sentAt: number[] = [];
  readonly #latencies: number[] = [];
  readonly #seen = new Set<number>();
  #last = -1;
  #stopping = false;
  #publisher!: MqttClient;
  #subscriber!: MqttClient;
  #publishing: Promise<void> | undefined;

  constructor(options: FlowOptions) {
    this.#options = options;
  }

  async start(): Promise<void> {
    const { publisher, subscriber, publisherId, subscriberId, version, topic, qos } = this.#options;
    this.#subscriber = await connectClient({
      transport: subscriber,
      clientId: subscriberId,
      version,
      keepAlive: KEEP_ALIVE_SECONDS,
      onMessage: (message) => this.#receive(message),
    });
    this.#publisher = await connectClient({
      transport: publisher,
      clientId: publisherId,
      version,
      keepAlive: KEEP_ALIVE_SECONDS,
    });
    this.#watch(this.#subscriber, 'subscriber');
    this.#watch(this.#publisher, 'publisher');
    await this.#subscriber.subscribe([{ filter: topic, qos }]);
    this.#publishing = this.#publish();
  }

  /** Ends publishing, waits for what is under way, and accounts. */
  async finish(): Promise<FlowReport> {
    this.#stopping = true;
    await this.#publishing;
    await this.#publisher.ping().catch(() => undefined);
    for (let i = 0; i < 100 && this.#seen.size < this.#sentAt.length; i++) await sleep(50);
    await this.#subscriber.ping().catch(() => undefined);
    const { name, qos } = this.#options;
    const lost = this.#sentAt.length - this.#seen.size;
    if (qos > 0 && lost > 0) this.wrong.push(`${name}: ${lost} of ${this.#sentAt.length} messages were lost`);
    this.#publisher.destroy();
    this.#subscriber.destroy();
    const sorted = [...this.#latencies].sort((a, b) => a - b);
    const at = (share: number) => Math.round(sorted[Math.floor((sorted.length - 1) * share)] ?? 0);
    const latencyMs = { p50: at(0.5), p99: at(0.99), max: at(1) };
    return { name, qos, sent: this.#sentAt.length, received: this.#seen.size, latencyMs };
  }

  async #publish(): Promise<void> {
    const { topic, qos, name } = this.#options;
    while (!this.#stopping) {
      const number = this.#sentAt.length;
      this.#sentAt.push(performance.now());
      try {
        await this.#publisher.publish(topic, `${number}`, { qos });
      } catch (error) {
        if (!this.#stopping) this.wrong.push(`${name}: message ${number} was not taken: ${(error as Error).message}`);
        return;
      }
      await sleep(PACE_MS);
    }
  }

  #receive({ topic, payload, dup }: IncomingMessage): void {
    if (topic !== this.#options.topic) return;
    const number = Number(new TextDecoder().decode(payload));
    const sentAt = this.#sentAt[number];
    const { name } = this.#options;
    if (sentAt === undefined) this.wrong.push(`${name}: a message that nobody sent`);
    else if (this.#seen.has(number)) this.wrong.push(`${name}: ${number} came twice${dup ? ' (DUP)' : ''}`);
    else if (number < this.#last) this.wrong.push(`${name}: ${number} came after ${this.#last}`);
    else this.#latencies.push(performance.now() - sentAt);
    this.#seen.add(number);
    this.#last = Math.max(this.#last, number);
  }

  #watch(client: MqttClient, who: string): void {
    void client.closed.then(({ message }) => {
      if (!this.#stopping) this.wrong.push(`${this.#options.name}: the ${who} was disconnected: ${message}`);
    });
  }
}

export interface BystanderParts {
  readonly ports: { readonly devices: number; readonly plain: number };
  readonly publisher: DeviceFiles;
  readonly subscriber: DeviceFiles;
}

export class Bystanders {
  readonly #flows: readonly Flow[];

  /** The devices must be `steady`, of role device, and `watcher`, of role operator. */
  constructor({ ports, publisher, subscriber }: BystanderParts) {
    const plain = tcpTransport({ host: '127.0.0.1', port: ports.plain });
    const tls = (files: DeviceFiles) => tlsTransport({ host: '127.0.0.1', port: ports.devices, ...files });
    const secret = Math.random().toString(36).slice(2);
    const cases = ([3, 4, 5] as const).flatMap((version) => ([0, 1, 2] as const).map((qos) => ({ version, qos })));
    this.#flows = cases.flatMap(({ version, qos }) => {
      const id = `${version}-${qos}`;
      const flows = [
        new Flow({
          name: `plain, version ${version}`,
          topic: `steady/${secret}/${id}`,
          qos,
          version,
          publisher: plain,
          subscriber: plain,
          publisherId: `p${secret.slice(0, 8)}${id}`,
          subscriberId: `s${secret.slice(0, 8)}${id}`,
        }),
      ];
      if (version === 3) return flows;
      flows.push(
        new Flow({
          name: `TLS, version ${version}`,
          topic: `devices/steady/up/${id}`,
          qos,
          version,
          publisher: tls(publisher),
          subscriber: tls(subscriber),
          publisherId: `steady/${id}`,
          subscriberId: `watcher/${id}`,
        }),
      );
      return flows;
    });
  }

  /** Connections they hold. */
  get connections(): number {
    return this.#flows.length * 2;
  }

  get wrong(): string[] {
    return this.#flows.flatMap((flow) => flow.wrong);
  }

  async start(): Promise<void> {
    for (const flow of this.#flows) await flow.start();
  }

  finish(): Promise<FlowReport[]> {
    return Promise.all(this.#flows.map((flow) => flow.finish()));
  }
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
