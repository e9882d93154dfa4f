// Every way on which a right decides, each as a story that ends with what came of it. paths.test.ts plays all of them with and without
// the right, in every version; without-check.test.ts plays them against a broker that lacks one check.

import type { ProtocolVersion } from '@motte/wire';
import { type RawClient, will } from '../harness/index.ts';
import type { Outcome, PathOptions, World } from './world.ts';

export interface Path extends Omit<PathOptions, 'version' | 'allowed'> {
  readonly name: string;
  /** Default all. */
  readonly versions?: readonly ProtocolVersion[];
  readonly play: (world: World) => Promise<Outcome>;
}

const KEPT = { sessionExpiryInterval: 600 };
const TOPIC = 'plant/secret';
const PUBLISH = `allow publish ${TOPIC}`;
const RECEIVE = 'allow subscribe plant/#';
const UNHEARD = `deny receive ${TOPIC}`;

/** A session that is kept, in any version. */
const kept = (version: ProtocolVersion) =>
  version === 5 ? { cleanStart: false, properties: KEPT } : { cleanStart: false };

/** Whether the next thing a client gets is the message, nothing else and nothing more. */
async function hears(client: RawClient): Promise<Outcome> {
  const packets = await client.receiveAll();
  const heard = packets.filter((packet) => packet.type === 'publish' && packet.topic === TOPIC).length;
  if (heard > 1) throw new Error(`it came ${heard} times`);
  return heard === 1 ? 'through' : 'refused';
}

/** Both must say the same. */
function agree(...outcomes: readonly Outcome[]): Outcome {
  if (new Set(outcomes).size > 1) throw new Error(`one side says ${outcomes.join(', the other ')}`);
  return outcomes[0] as Outcome;
}

/** What PUBACK or PUBREC said; MQTT 3 is told nothing [MQTT-3.3.5-2], so what others heard stands for it. */
async function told(code: number, { version }: World, heard: Outcome): Promise<Outcome> {
  if (version !== 5) {
    if (code !== 0) throw new Error(`MQTT 3 was told 0x${code.toString(16)}`);
    return heard;
  }
  return agree(code === 0x87 ? 'refused' : 'through', heard);
}

async function publishes(world: World, qos: 1 | 2): Promise<Outcome> {
  const [watcher, tested] = [await world.helper(), await world.tested()];
  await watcher.subscribe({ filter: 'plant/#', qos: 0 });
  world.decide();
  const code = await tested.deliver(TOPIC, 'x', { qos });
  return told(code, world, await hears(watcher));
}

/** A message by a subscription that is there when it is decided. */
async function hearsLive(world: World, filter: string): Promise<Outcome> {
  const [publisher, tested] = [await world.helper(), await world.tested()];
  await tested.subscribe({ filter, qos: 1 });
  world.decide();
  await publisher.deliver(TOPIC, 'x');
  return hears(tested);
}

/** A message that waits when it is decided, for a session that comes back. */
async function hearsStored(world: World): Promise<Outcome> {
  const publisher = await world.helper();
  const tested = await world.tested(kept(world.version));
  await tested.subscribe({ filter: 'plant/#', qos: 1 });
  await tested.cut();
  await publisher.deliver(TOPIC, 'x');
  world.decide();
  return hears(await world.tested(kept(world.version)));
}

/** Refused by the code of the version, or granted. */
function granted(code: number, { version }: World): Outcome {
  if (code <= 2) return 'through';
  if (code !== (version === 5 ? 0x87 : 0x80)) throw new Error(`SUBACK 0x${code.toString(16)}`);
  return 'refused';
}

export const PATHS: readonly Path[] = [
  {
    name: 'PUBLISH with QoS 0',
    right: PUBLISH,
    play: async (world) => {
      const [watcher, tested] = [await world.helper(), await world.tested()];
      await watcher.subscribe({ filter: 'plant/#', qos: 0 });
      world.decide();
      tested.publish(TOPIC, 'x');
      await tested.ping();
      return hears(watcher);
    },
  },
  { name: 'PUBLISH with QoS 1', right: PUBLISH, play: (world) => publishes(world, 1) },
  { name: 'PUBLISH with QoS 2', right: PUBLISH, play: (world) => publishes(world, 2) },
  {
    name: 'PUBLISH by topic alias',
    right: PUBLISH,
    versions: [5],
    play: async (world) => {
      const [watcher, tested] = [await world.helper(), await world.tested()];
      await watcher.subscribe({ filter: 'plant/#', qos: 0 });
      tested.publish(TOPIC, 'x', { properties: { topicAlias: 1 } });
      await tested.ping();
      await watcher.receiveAll();
      world.decide();
      const code = await tested.deliver('', 'y', { properties: { topicAlias: 1 } });
      return told(code, world, await hears(watcher));
    },
  },
  {
    name: 'PUBLISH under a condition on the message',
    right: `allow publish ${TOPIC} qos<=1`,
    denial: `deny publish ${TOPIC} qos<=1`,
    play: (world) => publishes(world, 1),
  },
  {
    name: 'PUBREL of a message that was taken before',
    right: PUBLISH,
    play: async (world) => {
      const [watcher, tested] = [await world.helper(), await world.tested()];
      await watcher.subscribe({ filter: 'plant/#', qos: 0 });
      const packetId = tested.publish(TOPIC, 'x', { qos: 2 });
      await tested.receive('pubrec');
      world.decide();
      tested.ack('pubrel', packetId);
      await tested.receive('pubcomp');
      return hears(watcher);
    },
  },
  {
    name: 'retaining',
    right: PUBLISH,
    play: async (world) => {
      const [watcher, tested] = [await world.helper(), await world.tested()];
      world.decide();
      await tested.deliver(TOPIC, 'x', { retain: true });
      await watcher.subscribe({ filter: 'plant/#', qos: 0 });
      return hears(watcher);
    },
  },
  {
    name: 'the client identifier of another',
    right: PUBLISH,
    play: async (world) => {
      const clientId = world.isAllowed ? 'tested/2' : 'helper-2';
      const { reasonCode } = await world.as('tested', clientId);
      if (reasonCode === 0) return 'through';
      if (reasonCode !== (world.version === 5 ? 0x85 : 2)) throw new Error(`CONNACK 0x${reasonCode.toString(16)}`);
      return 'refused';
    },
  },
  {
    name: 'a will at CONNECT',
    right: PUBLISH,
    play: async (world) => {
      world.decide();
      const connack = await world.broker.open(world.version).connect('tested', { will: will(TOPIC, 'x') });
      if (connack.reasonCode === 0) return 'through';
      if (connack.reasonCode !== (world.version === 5 ? 0x87 : 5)) throw new Error(`CONNACK ${connack.reasonCode}`);
      return 'refused';
    },
  },
  {
    name: 'a will when it is due',
    right: PUBLISH,
    play: async (world) => {
      const watcher = await world.helper();
      await watcher.subscribe({ filter: 'plant/#', qos: 0 });
      const tested = await world.tested({ will: will(TOPIC, 'x') });
      world.decide();
      await tested.cut();
      return hears(watcher);
    },
  },
  {
    name: 'a filter of SUBSCRIBE, among others',
    right: `allow subscribe ${TOPIC}`,
    besides: ['allow subscribe plant/open'],
    play: async (world) => {
      const [publisher, tested] = [await world.helper(), await world.tested()];
      world.decide();
      const { reasonCodes } = await tested.subscribe(['plant/open', TOPIC, 'plant/open']);
      if (reasonCodes[0] !== 2 || reasonCodes[2] !== 2) throw new Error(`the others got ${reasonCodes}`);
      await publisher.deliver(TOPIC, 'x');
      return agree(granted(reasonCodes[1] as number, world), await hears(tested));
    },
  },
  {
    name: 'the filter behind a shared subscription',
    right: `allow subscribe ${TOPIC}`,
    play: async (world) => {
      const [publisher, tested] = [await world.helper(), await world.tested()];
      world.decide();
      const { reasonCodes } = await tested.subscribe(`$share/g/${TOPIC}`);
      await publisher.deliver(TOPIC, 'x');
      return agree(granted(reasonCodes[0] as number, world), await hears(tested));
    },
  },
  {
    name: '$SYS',
    right: 'allow subscribe $SYS/#',
    besides: ['allow subscribe #'],
    play: async (world) => {
      const tested = await world.tested();
      world.decide();
      return granted((await tested.subscribe('$SYS/#')).reasonCodes[0] as number, world);
    },
  },
  {
    name: 'a retained message on SUBSCRIBE',
    right: RECEIVE,
    denial: UNHEARD,
    play: async (world) => {
      const [publisher, tested] = [await world.helper(), await world.tested()];
      await publisher.deliver(TOPIC, 'x', { retain: true });
      world.decide();
      await tested.subscribe({ filter: 'plant/#', qos: 0 });
      return hears(tested);
    },
  },
  {
    name: 'delivery to a wider subscription',
    right: RECEIVE,
    denial: UNHEARD,
    play: async (world) => {
      const [publisher, tested] = [await world.helper(), await world.tested()];
      await tested.subscribe({ filter: 'plant/#', qos: 1 });
      // Its route is known before the right goes.
      await publisher.deliver(TOPIC, 'before');
      await tested.takeMessages(1);
      world.decide();
      await publisher.deliver(TOPIC, 'x');
      return hears(tested);
    },
  },
  {
    name: 'delivery under a condition on the message',
    right: `allow subscribe plant/#`,
    denial: `deny receive ${TOPIC} qos<=1`,
    play: (world) => hearsLive(world, 'plant/#'),
  },
  {
    name: 'delivery to a member of a group',
    right: RECEIVE,
    denial: UNHEARD,
    play: (world) => hearsLive(world, '$share/g/plant/#'),
  },
  {
    name: 'delivery to a member of a group under a condition on the message',
    right: RECEIVE,
    denial: `deny receive ${TOPIC} qos<=1`,
    play: (world) => hearsLive(world, '$share/g/plant/#'),
  },
  {
    name: 'what waits in memory behind what is under way',
    right: RECEIVE,
    denial: UNHEARD,
    versions: [5],
    play: async (world) => {
      const publisher = await world.helper();
      const tested = await world.tested({ properties: { receiveMaximum: 1 } });
      await tested.subscribe({ filter: 'plant/#', qos: 1 });
      await publisher.deliver('plant/open', 'first');
      await publisher.deliver(TOPIC, 'x');
      const { packetId } = await tested.receive('publish');
      world.decide();
      tested.ack('puback', packetId);
      return hears(tested);
    },
  },
  {
    name: 'what waits in the store for a session that comes back',
    right: RECEIVE,
    denial: UNHEARD,
    play: hearsStored,
  },
  {
    name: 'what waits in the store, under a condition on the message',
    right: RECEIVE,
    denial: `deny receive ${TOPIC} qos<=1`,
    play: hearsStored,
  },
  {
    name: 'what was under way when the session was left',
    right: RECEIVE,
    denial: UNHEARD,
    play: async (world) => {
      const publisher = await world.helper();
      const tested = await world.tested(kept(world.version));
      await tested.subscribe({ filter: 'plant/#', qos: 1 });
      await publisher.deliver(TOPIC, 'x');
      await tested.receive('publish');
      await tested.cut();
      world.decide();
      return hears(await world.tested(kept(world.version)));
    },
  },
  {
    name: 'a live subscription',
    right: `allow subscribe ${TOPIC}`,
    play: async (world) => {
      const tested = await world.tested();
      await tested.subscribe({ filter: TOPIC, qos: 1 });
      await world.decideAndWait();
      if (!tested.closed) return 'through';
      const last = (await tested.receiveAll()).at(-1);
      if (world.version === 5 && (last?.type !== 'disconnect' || last.reasonCode !== 0x87)) {
        throw new Error('it ended without a DISCONNECT 0x87');
      }
      return 'refused';
    },
  },
  {
    name: 'the subscription of a session that is away',
    right: `allow subscribe ${TOPIC}`,
    play: async (world) => {
      const publisher = await world.helper();
      const tested = await world.tested(kept(world.version));
      await tested.subscribe({ filter: TOPIC, qos: 1 });
      await tested.cut();
      await world.decideAndWait();
      await publisher.deliver(TOPIC, 'x');
      return hears(await world.tested(kept(world.version)));
    },
  },
];
