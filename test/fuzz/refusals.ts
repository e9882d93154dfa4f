// Offences in great number against the broker in memory with its real log: each ends its own connection alone, with the
// right reason code, and leaves one line that says who, what and which rule, and nothing else.

import { reasonCode } from '@motte/wire';
import { createLog } from '../../packages/broker/src/observe/log.ts';
import { duplexPair, settle } from '../harness/duplex-pair.ts';
import { TestBroker } from '../harness/test-broker.ts';
import { bytesHeld } from '../security/heap.ts';
import { connectOf, type Offence, offences, PACKET_BYTES_MAX, RECEIVE_MAXIMUM } from './offences.ts';

/** Findings after which no more are kept. */
const WRONG_MAX = 50;
/** Connections at once. */
const AT_ONCE = 250;
/** Offences before memory is first looked at: until then the runtime is still compiling. */
const WARM_UP = 8_000;
const PARTIAL_PACKET_DEADLINE_MS = 1_000;

/** What memory may grow by, after all of them: noise of the runtime, and less than 20 bytes for each of 100,000. */
export const GROWTH_BYTES_MAX = 2_000_000;

export interface RefusalReport {
  readonly wrong: readonly string[];
  readonly kinds: number;
  /** By what memory grew; noise may make it negative. */
  readonly grownBytes: number;
}

/** Plays `count` offences after some for warming up, each kind as often as every other. */
export async function playOffences(count: number): Promise<RefusalReport> {
  const kinds = offences();
  const round = new Round();
  const bystander = await round.broker.connect('bystander');
  await round.play(kinds, WARM_UP);
  const before = await bytesHeld();
  await round.play(kinds, count);
  const grownBytes = (await bytesHeld()) - before;
  const wrong = [...round.wrong];
  await bystander.ping().catch((error: Error) => wrong.push(`the bystander: ${error.message}`));
  const left = round.broker.clients().map(({ clientId }) => clientId);
  if (left.join() !== 'bystander') wrong.push(`still there: ${left.join()}`);
  await round.broker.stop().catch((error: Error) => wrong.push(error.message));
  return { wrong, kinds: kinds.length, grownBytes };
}

class Round {
  readonly wrong = new Set<string>();
  readonly broker = new TestBroker({
    limits: {
      packetBytesMax: PACKET_BYTES_MAX,
      receiveMaximum: RECEIVE_MAXIMUM,
      partialPacketDeadlineMs: PARTIAL_PACKET_DEADLINE_MS,
      connectDeadlineMs: PARTIAL_PACKET_DEADLINE_MS,
    },
  });
  #next = 0;
  readonly #lines = new Map<string, Line[]>();
  readonly #log = createLog({ level: 'warn', shape: 'json', write: (line) => this.#noteLine(line) });

  async play(kinds: readonly Offence[], count: number): Promise<void> {
    for (let done = 0; done < count; done += AT_ONCE) {
      const offenders = Array.from({ length: Math.min(AT_ONCE, count - done) }, () => {
        const number = this.#next++;
        return new Offender(this.broker, kinds[number % kinds.length] as Offence, number);
      });
      await settle();
      await this.broker.advance(PARTIAL_PACKET_DEADLINE_MS + 500);
      await this.broker.advance(PARTIAL_PACKET_DEADLINE_MS + 500);
      for (const event of this.broker.events) this.#log.observe(event);
      this.broker.events.length = 0;
      for (const offender of offenders) {
        for (const sentence of offender.judge(this.#lines.get(offender.address) ?? [])) this.#complain(sentence);
      }
      this.#lines.clear();
    }
  }

  #complain(sentence: string): void {
    if (this.wrong.size < WRONG_MAX) this.wrong.add(sentence);
  }

  #noteLine(line: string): void {
    const entry = JSON.parse(line) as Line;
    const { address = '' } = entry;
    if (entry.event !== 'peer.refused') this.#complain(`an unexpected line: ${line}`);
    const others = this.#lines.get(address);
    if (others === undefined) this.#lines.set(address, [entry]);
    else others.push(entry);
  }
}

type Line = { readonly [field in Field]?: string } & { readonly connection?: number };
type Field =
  | ('event' | 'address' | 'listener' | 'identity' | 'clientId')
  | ('layer' | 'packet' | 'reason' | 'because' | 'rule' | 'seen');

class Offender {
  readonly address: string;
  readonly #offence: Offence;
  readonly #clientId: string;
  readonly #answers: Buffer[] = [];
  #closed = false;

  constructor(broker: TestBroker, offence: Offence, number: number) {
    const { version, bytes, early } = offence;
    this.#offence = offence;
    this.address = `10.${number >> 16}.${(number >> 8) & 0xff}.${number & 0xff}`;
    this.#clientId = `offender-${number}`;
    const [ours, theirs] = duplexPair();
    broker.serve(theirs, { address: this.address });
    ours.on('data', (chunk: Buffer) => this.#answers.push(chunk));
    ours.on('error', () => undefined);
    ours.on('end', () => {
      this.#closed = true;
      ours.end();
    });
    ours.on('close', () => {
      this.#closed = true;
    });
    if (!early) ours.write(connectOf(this.#clientId, version));
    ours.write(bytes);
  }

  /** What is wrong with how it ended and what was written about it. */
  judge(lines: readonly Line[]): string[] {
    const { title, version, reason, rule, early } = this.#offence;
    const wrong: string[] = [];
    const expect = (what: string, got: unknown, wanted: unknown): void => {
      if (got !== wanted) wrong.push(`${title}, version ${version}: ${what} is ${String(got)}, not ${String(wanted)}`);
    };
    expect('closed', this.#closed, true);
    expect('the number of lines', lines.length, 1);
    const [line = {}] = lines;
    expect('the listener', line.listener, 'test');
    expect('the reason', line.reason, reason);
    if (rule !== undefined) expect('the rule', line.rule, rule);
    for (const field of ['connection', 'layer', 'packet', 'because', 'rule', 'seen'] as const) {
      if (line[field] === undefined || line[field] === '') expect(field, line[field], 'there');
    }
    if (!early) {
      expect('the client identifier', line.clientId, this.#clientId);
      expect('an identity', typeof line.identity, 'string');
    }
    expect('what the peer saw', this.#seen(), line.seen);
    if (!early && version === 5)
      expect('what it was told', line.seen, `DISCONNECT 0x${reasonCode(reason).toString(16)}`);
    return wrong;
  }

  /** The last packet that came, as the log puts it. */
  #seen(): string {
    const bytes = Buffer.concat(this.#answers);
    let at = 0;
    for (let next = 0; next < bytes.length; next += 2 + (bytes[next + 1] ?? 0)) at = next;
    const last = bytes.subarray(at);
    if (last[0] === 0xe0) return `DISCONNECT 0x${(last[2] ?? 0).toString(16)}`;
    if (last[0] !== 0x20 || last[3] === 0) return 'the connection closed';
    // Two bytes of content: MQTT 3, also for a peer whose version nobody knows.
    return last[1] === 2 ? `CONNACK ${last[3]}` : `CONNACK 0x${(last[3] ?? 0).toString(16)}`;
  }
}
