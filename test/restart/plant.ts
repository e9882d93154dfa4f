// A broker that ends and starts again on what it stored, while time goes by. Clients are those of the harness: they come back
// by themselves, as the test says.

import type { ProtocolVersion } from '@motte/wire';
import { onTestFinished } from 'vitest';
import type { BrokerEvent, EventName } from '../../packages/broker/src/events.ts';
import type { OpenedSession, Store } from '../../packages/broker/src/ports/store.ts';
import {
  type ConnectFields,
  FakeClock,
  type RawClient,
  settle,
  TestBroker,
  type TestBrokerOptions,
} from '../harness/index.ts';
import { type Disk, type Ending, makeDisk } from './disks.ts';

export const ENDINGS: readonly Ending[] = ['told', 'killed'];

/** Both ways to end, for each version whose sessions outlive a connection. */
export const EVERY_WAY = ENDINGS.flatMap((ending) =>
  ([4, 5] as const).map((version) => ({ ending, version, name: `MQTT ${version === 5 ? '5.0' : '3.1.1'}, ${ending}` })),
);

type PlantOptions = Omit<TestBrokerOptions, 'store' | 'clock'>;

export class Plant {
  readonly clock = new FakeClock();
  readonly #disk: Disk;
  #options: PlantOptions;
  #broker: TestBroker | undefined = undefined;
  #store: Store | undefined = undefined;

  constructor(ending: Ending, options: PlantOptions) {
    this.#disk = makeDisk(ending);
    this.#options = options;
  }

  get broker(): TestBroker {
    if (this.#broker === undefined) throw new Error('not started');
    return this.#broker;
  }

  async start(): Promise<void> {
    this.#store = await this.#disk.open(this.clock);
    this.#broker = new TestBroker({ ...this.#options, store: this.#store, clock: this.clock });
    await this.#broker.restore();
    await settle();
  }

  /** Ends the broker in the plant's way, lets time pass, and starts it again, perhaps under another configuration. */
  async restart({ downMs = 0, ...changed }: PlantOptions & { readonly downMs?: number } = {}): Promise<void> {
    await this.#disk.end(this.broker);
    this.clock.advance(downMs);
    this.#options = { ...this.#options, ...changed };
    await this.start();
  }

  async end(): Promise<void> {
    await this.#broker?.stop();
    this.#disk.remove();
  }

  /** A client whose session outlives its connection, an hour unless given; it has to be the one that was asked for. */
  async keep(clientId: string, fields: ConnectFields & { readonly present?: boolean } = {}): Promise<RawClient> {
    const { present, properties, version = 5, ...rest } = fields;
    const lasting = version === 5 ? { sessionExpiryInterval: 3600, ...properties } : {};
    const client = await this.broker.connect(clientId, { cleanStart: false, version, properties: lasting, ...rest });
    if (present !== undefined && client.connack?.sessionPresent !== present) {
      throw new Error(`${clientId}: session present is ${client.connack?.sessionPresent}`);
    }
    return client;
  }

  /** A client that is there only to publish this, and gone again. */
  async publish(topic: string, payload: string, fields: Parameters<RawClient['deliver']>[2] = {}): Promise<void> {
    const client = await this.broker.connect('somebody');
    await client.deliver(topic, payload, fields);
    await client.disconnect();
  }

  /** Events of the broker that runs now. */
  events<N extends EventName>(name: N): Extract<BrokerEvent, { name: N }>[] {
    return this.broker.events.filter((event): event is Extract<BrokerEvent, { name: N }> => event.name === name);
  }

  /** What is on the disk of the sessions. */
  async stored(): Promise<readonly OpenedSession[]> {
    await settle();
    return new Promise((resolve) => this.#store?.listSessions(resolve));
  }
}

/** A broker on an empty disk; it and the disk go with the test. */
export async function startPlant(ending: Ending, options: PlantOptions = {}): Promise<Plant> {
  const plant = new Plant(ending, options);
  onTestFinished(() => plant.end());
  await plant.start();
  return plant;
}

/** A session that subscribed to this and whose client is gone again. */
export async function leaveSubscribed(
  plant: Plant,
  clientId: string,
  wanted: Parameters<RawClient['subscribe']>[0],
  version: ProtocolVersion = 5,
): Promise<void> {
  const client = await plant.keep(clientId, { version });
  await client.subscribe(wanted);
  await client.disconnect();
}

/** What a client that comes back finds waiting, as text, with everything acknowledged. */
export async function fetch(
  plant: Plant,
  clientId: string,
  count: number,
  version: ProtocolVersion = 5,
): Promise<string[]> {
  const client = await plant.keep(clientId, { version, present: true });
  const payloads = await client.takeMessages(count);
  await client.expectNothing();
  await client.disconnect();
  return payloads;
}
