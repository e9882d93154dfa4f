// Stories against the broker in memory, many at once on one broker, with its clock moved by hand: finds faults of core and
// wire at thousands of connections a second. A batch is known by its seed and
// does the same nearly every time: only who comes first within one turn of the event loop is not settled by it.

import type { Duplex } from 'node:stream';
import { decode, type ProtocolVersion } from '@motte/wire';
import { duplexPair, settle } from '../harness/duplex-pair.ts';
import { frameLength } from '../harness/raw-client.ts';
import { TestBroker } from '../harness/test-broker.ts';
import { Chance } from './chance.ts';
import { type Step, type Story, storyOf } from './story.ts';

/** Connections of one batch. */
export const BATCH_STORIES = 60;

/** Small enough to be met. */
const LIMITS = {
  packetBytesMax: 100_000,
  connectBytesMax: 4_000,
  receiveMaximum: 10,
  inFlightMax: 8,
  topicAliasMax: 4,
  queueMessagesMax: 12,
  queueBytesMax: 60_000,
  unsentBytesMax: 20_000,
  subscriptionsPerSessionMax: 12,
  subscriptionsMax: 200,
  sessionsMax: 50,
  retainedMessagesMax: 8,
  retainedBytesMax: 50_000,
  routesMax: 16,
  sessionExpirySecondsMax: 20,
  keepAliveSecondsMax: 30,
};

/** Above what a connection may hold unsent there is room for one answer in full. */
const UNSENT_SLACK_BYTES = 60_000;

/** Plays the batch of a seed and returns what was wrong, as sentences; empty = nothing. */
export async function playBatch(seed: number, stories = BATCH_STORIES): Promise<string[]> {
  const broker = new TestBroker({ limits: LIMITS });
  const chance = new Chance(seed);
  const wrong: string[] = [];
  const peers = Array.from({ length: stories }, (_, i) => new Peer(broker, storyOf(seed * 1000 + i)));
  let left = peers;
  while (left.length > 0) {
    for (const peer of left) if (!chance.oneIn(3)) peer.step(broker);
    left = left.filter((peer) => !peer.done);
    if (chance.oneIn(3)) await settle();
    if (chance.oneIn(8)) await broker.advance(chance.pick([10, 300, 1500]));
    for (const row of broker.clients()) {
      if (row.unsentBytes > LIMITS.unsentBytesMax + UNSENT_SLACK_BYTES) {
        wrong.push(`${row.clientId} holds ${row.unsentBytes} unsent bytes`);
      }
    }
  }
  await settle();
  // Long enough for every deadline, keep-alive, session expiry and will.
  for (let i = 0; i < 12; i++) await broker.advance(15_000);
  for (const row of broker.clients()) if (!mayStay(row)) wrong.push(`still there: ${JSON.stringify(row)}`);
  for (const peer of peers) if (peer.wrong !== '') wrong.push(`seed ${peer.story.seed}: ${peer.wrong}`);
  for (const event of broker.events) if (event.name === 'broker.assertion') wrong.push(event.why);
  wrong.push(...(await canary(broker)));
  await broker.stop().catch(() => undefined);
  for (const peer of peers) peer.leave();
  return wrong;
}

/** An MQTT 3 client cannot be told a shorter keep-alive than it asked for, and may ask for none. */
function mayStay({ state, version, keepAlive }: Row): boolean {
  return state === 'connected' && version !== 5 && (keepAlive === 0 || keepAlive > LIMITS.keepAliveSecondsMax);
}

type Row = ReturnType<TestBroker['clients']>[number];

/** After all of it a message still goes through, once, at every QoS. */
async function canary(broker: TestBroker): Promise<string[]> {
  try {
    const subscriber = await broker.connect('canary-subscriber');
    const publisher = await broker.connect('canary-publisher');
    await subscriber.subscribe('canary/#');
    for (const qos of [0, 1, 2] as const) {
      if (qos === 0) publisher.publish('canary/0', '0');
      else await publisher.deliver(`canary/${qos}`, `${qos}`, { qos });
    }
    const payloads = await subscriber.takeMessages(3);
    return payloads.join() === '0,1,2' ? [] : [`the canary got ${payloads.join()}`];
  } catch (error) {
    return [`the canary failed: ${(error as Error).message}`];
  }
}

class Peer {
  readonly story: Story;
  done = false;
  wrong = '';
  readonly #stream: Duplex;
  #next = 0;
  #bytes: Buffer = Buffer.alloc(0);

  constructor(broker: TestBroker, story: Story) {
    this.story = story;
    const [ours, theirs] = duplexPair();
    broker.serve(theirs);
    this.#stream = ours;
    ours.on('data', (chunk: Buffer) => this.#take(chunk));
    ours.on('error', () => undefined);
  }

  step(broker: TestBroker): void {
    const step = this.story.steps[this.#next++];
    if (step !== undefined) this.#do(step, broker);
    else this.#end();
  }

  leave(): void {
    this.#stream.destroy();
  }

  #do(step: Step, broker: TestBroker): void {
    if (step.do === 'send') {
      if (this.#stream.writable) this.#stream.write(step.bytes);
    } else if (step.do === 'wait') broker.clock.advance(Math.min(step.ms, 50));
    else if (step.do === 'stop reading') this.#stream.pause();
    else this.#stream.resume();
  }

  #end(): void {
    this.done = true;
    const { ending } = this.story;
    if (ending === 'reset' || ending === 'close') this.#stream.destroy();
    else if (ending === 'half close') this.#stream.end();
    else if (ending === 'silent') this.#stream.resume();
    else this.#stream.pause();
  }

  /** Whatever the broker sends is a packet of some version: which one it took the peer for is its business. */
  #take(chunk: Buffer): void {
    this.#bytes = this.#bytes.length === 0 ? chunk : Buffer.concat([this.#bytes, chunk]);
    for (let length = frameLength(this.#bytes); length > 0; length = frameLength(this.#bytes)) {
      const frame = this.#bytes.subarray(0, length);
      this.#bytes = this.#bytes.subarray(length);
      if (!readable(frame)) this.wrong ||= `the broker sent ${frame.subarray(0, 60).toString('hex')}`;
    }
  }
}

function readable(frame: Uint8Array): boolean {
  return ([5, 4, 3] as const).some((version: ProtocolVersion) => {
    try {
      decode(frame, version);
      return true;
    } catch {
      return false;
    }
  });
}
