// A client of a counterpart as a test sees it: every verb waits for its answer, messages wait in the order they came.
// A driver answers connect with connected, refused or failed; subscribe with granted; unsubscribe with unsubscribed;
// publish with published; disconnect, or an end that it did not ask for, with closed; and tells each message.

import type { Counterpart, Driver, Version } from './counterparts.ts';
import { type Fields, valueOf, valuesOf, type Words } from './line-coding.ts';

export type Options = Readonly<Record<string, string | number | readonly string[] | undefined>>;

export interface Received {
  readonly topic: string;
  readonly payload: string;
  readonly qos: number;
  readonly retain: boolean;
  /** MQTT 5.0: `name=value` in the order they came. */
  readonly user: readonly string[];
  readonly identifiers: readonly number[];
  readonly fields: Fields;
}

/** How CONNECT was answered: with success, with a code, or not at all. */
export interface Connack {
  readonly how: 'connected' | 'refused' | 'failed';
  readonly code: number | undefined;
  readonly sessionPresent: boolean;
  readonly assigned: string | undefined;
}

export class Client {
  readonly #what: string;
  readonly #answers = new Queue<Words>();
  readonly #messages = new Queue<Words>();
  readonly #closed = new Queue<Words>();
  #driver: Driver | undefined;
  connack: Connack = { how: 'failed', code: undefined, sessionPresent: false, assigned: undefined };

  constructor(what: string) {
    this.#what = what;
  }

  /** Resolves whichever way the broker answers; see `connack`. */
  static async connect(counterpart: Counterpart, options: Options): Promise<Client> {
    const client = new Client(`${counterpart.name} as ${String(options['clientId'])}`);
    client.#driver = await counterpart.start((words) => client.#onWords(words));
    const { verb, fields } = await client.#ask('connect', options, ['connected', 'refused', 'failed']);
    client.connack = {
      how: verb as Connack['how'],
      code: codeOf(fields),
      sessionPresent: valueOf(fields, 'present') === '1',
      assigned: valueOf(fields, 'assigned'),
    };
    return client;
  }

  /** The code of SUBACK. */
  async subscribe(filter: string, options: Options = {}): Promise<number | undefined> {
    return codeOf((await this.#ask('subscribe', { filter, ...options }, ['granted'])).fields);
  }

  async unsubscribe(filter: string): Promise<void> {
    await this.#ask('unsubscribe', { filter }, ['unsubscribed']);
  }

  /** Resolves when it is sent (QoS 0) or acknowledged in full, with the reason code where the counterpart tells it. */
  async publish(topic: string, payload: string, options: Options = {}): Promise<number | undefined> {
    const hex = Buffer.from(payload).toString('hex');
    return codeOf((await this.#ask('publish', { topic, payload: hex, ...options }, ['published'])).fields);
  }

  /** The next message, in the order of arrival. */
  async next(): Promise<Received> {
    const { fields } = await this.#within(this.#messages.take(), 'a message');
    return {
      topic: valueOf(fields, 'topic') ?? '',
      payload: Buffer.from(valueOf(fields, 'payload') ?? '', 'hex').toString(),
      qos: Number(valueOf(fields, 'qos')),
      retain: valueOf(fields, 'retain') === '1',
      user: valuesOf(fields, 'user'),
      identifiers: valuesOf(fields, 'identifier').map(Number),
      fields,
    };
  }

  /** The payloads of the next so many messages. */
  async nextPayloads(count: number): Promise<string[]> {
    const payloads: string[] = [];
    while (payloads.length < count) payloads.push((await this.next()).payload);
    return payloads;
  }

  /** Messages that came and were not taken. */
  get waiting(): number {
    return this.#messages.length;
  }

  /** DISCONNECT, and the connection is closed. */
  async disconnect(): Promise<void> {
    this.#driver?.send({ verb: 'disconnect', fields: [] });
    await this.closed();
    this.kill();
  }

  /** Resolves when the connection has ended, with the code of the broker's DISCONNECT where there was one. */
  async closed(): Promise<number | undefined> {
    return codeOf((await this.#within(this.#closed.take(), 'the end of the connection')).fields);
  }

  /** Ends it without DISCONNECT. */
  kill(): void {
    this.#driver?.kill();
  }

  #onWords(words: Words): void {
    if (words.verb === 'message') this.#messages.put(words);
    else if (words.verb === 'closed') this.#closed.put(words);
    else this.#answers.put(words);
  }

  async #ask(verb: string, options: Options, answers: readonly string[]): Promise<Words> {
    const fields = Object.entries(options).flatMap(([name, value]): [string, string][] => {
      if (value === undefined) return [];
      return (typeof value === 'object' ? value : [value]).map((one) => [name, String(one)]);
    });
    this.#driver?.send({ verb, fields });
    const answer = await this.#within(this.#answers.take(), `the answer to ${verb}`);
    if (!answers.includes(answer.verb)) throw new Error(`${this.#what}: ${verb} was answered by ${answer.verb}`);
    return answer;
  }

  async #within<T>(promise: Promise<T>, what: string): Promise<T> {
    let deadline: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_, reject) => {
      deadline = setTimeout(() => {
        reject(new Error(`${this.#what}: ${what} did not come. It said: ${this.#driver?.complaints() ?? ''}`));
      }, DEADLINE_MS);
    });
    return Promise.race([promise, late]).finally(() => clearTimeout(deadline));
  }
}

/** What is put in comes out in order, to whoever asked first. */
class Queue<T> {
  readonly #items: T[] = [];
  readonly #takers: ((item: T) => void)[] = [];

  get length(): number {
    return this.#items.length;
  }

  put(item: T): void {
    const taker = this.#takers.shift();
    if (taker === undefined) this.#items.push(item);
    else taker(item);
  }

  take(): Promise<T> {
    const item = this.#items.shift();
    return item === undefined ? new Promise((resolve) => this.#takers.push(resolve)) : Promise.resolve(item);
  }
}

function codeOf(fields: Fields): number | undefined {
  const code = valueOf(fields, 'code');
  return code === undefined ? undefined : Number(code);
}

/** The number that CONNECT and its answers have for a version: the code for MQTT 5.0, or that for those before. */
export function byVersion(version: Version, code5: number, code3: number): number {
  return version === '5.0' ? code5 : code3;
}

const DEADLINE_MS = 15_000;
