// What the policy gives one client, and what follows for it: which messages may be sent to it, and which of its own are taken. A
// plain twin of broker/access for the few rules that the simulation needs.

import { topicMatches } from '@motte/wire';
import { type Role, roleOf } from '../../packages/broker/src/access/policy.ts';
import { TOPICS } from './fields.ts';
import type { Ledger, Sent } from './ledger.ts';

/** Since when a topic is denied: the number of the next message, and the version. */
interface Denial {
  readonly at: number;
  readonly version: number;
  /** True once nothing of before can be on its way any more. */
  isOver: boolean;
}

export class Rights {
  readonly name: string;
  /** Raised by every change. */
  version = 0;
  readonly #ledger: Ledger;
  readonly #reads = new Set<string>();
  readonly #hidden = new Set<string>();
  #writes = true;
  readonly #denials = new Map<string, Denial>();
  /** The version under which each message was sent that is not answered yet. */
  readonly #sentUnder = new Map<Sent, number>();

  constructor(name: string, filters: readonly string[], ledger: Ledger) {
    this.name = name;
    this.#ledger = ledger;
    for (const filter of filters) this.#reads.add(filter);
    this.#note();
  }

  get role(): Role {
    const rules = [...this.#reads].map((filter) => `allow subscribe ${filter}`);
    for (const topic of this.#hidden) rules.push(`deny receive ${topic}`);
    if (this.#writes) rules.push('allow publish #');
    return roleOf(this.name, rules);
  }

  maySubscribe(filter: string): boolean {
    return [...this.#reads].some((wide) => covers(wide.split('/'), filter.split('/')));
  }

  mayReceive(topic: string): boolean {
    return !this.#hidden.has(topic) && [...this.#reads].some((filter) => topicMatches(filter, topic));
  }

  /** Takes a right or gives it back: to subscribe to a filter, to receive a topic of what it is subscribed to, or to publish. */
  toggle({ read, hide }: { readonly read?: string; readonly hide?: string }): void {
    this.version += 1;
    if (read !== undefined) flip(this.#reads, read);
    else if (hide !== undefined) flip(this.#hidden, hide);
    else this.#writes = !this.#writes;
    this.#note();
  }

  /** All that was under way has passed. */
  calm(): void {
    for (const denial of this.#denials.values()) denial.isOver = true;
  }

  /** A message came over a connection that began under a version. */
  arrived({ number, topic }: Sent, beganUnder: number): void {
    const denial = this.#denials.get(topic);
    if (denial === undefined) return;
    if (number >= denial.at || beganUnder >= denial.version || denial.isOver) {
      throw new Error(`${this.name} got message ${number} at ${topic}, which it may not receive since ${denial.at}`);
    }
  }

  /** A message of its own is sent. */
  sending(sent: Sent): void {
    const { version } = this;
    this.#sentUnder.set(sent, version);
    if (!this.#writes) sent.whyNotNow = () => (this.version === version ? 'its publisher may not' : undefined);
  }

  /** It was answered; before MQTT 5.0 nobody is told that it was refused [MQTT-3.3.5-2]. */
  answered(sent: Sent, reasonCode: number, isTold: boolean): void {
    const isSame = this.#sentUnder.get(sent) === this.version;
    this.#sentUnder.delete(sent);
    if (!isSame) {
      // Also between PUBREC and PUBREL the right may have gone, and PUBCOMP cannot say so.
      if (!isTold || sent.qos !== 1) sent.refused = true;
      return;
    }
    const isRefused = reasonCode === NOT_AUTHORIZED;
    if (this.#writes) {
      if (isRefused) throw new Error(`${this.name} may publish message ${sent.number}, and was refused`);
      return;
    }
    if (isTold && sent.qos > 0 && !isRefused) throw new Error(`${this.name} may not publish message ${sent.number}`);
    sent.refused = true;
    sent.whyNotNow = () => 'its publisher may not';
  }

  /** Keeps the book of what is denied up to date. */
  #note(): void {
    for (const topic of TOPICS) {
      const denial = this.#denials.get(topic);
      const isDenied = !this.mayReceive(topic);
      if (isDenied && denial === undefined) {
        this.#denials.set(topic, { at: this.#ledger.next, version: this.version, isOver: false });
      } else if (!isDenied && denial !== undefined) {
        this.#denials.delete(topic);
        // It came and went while nothing of the topic was for this client.
        this.#ledger.forbid(this.name, denial.at, (sent) => sent.topic === topic);
      }
    }
  }
}

function flip<T>(set: Set<T>, item: T): void {
  if (!set.delete(item)) set.add(item);
}

/** Whether whatever matches the one matches the other. */
function covers(wide: readonly string[], narrow: readonly string[]): boolean {
  for (const [at, level] of wide.entries()) {
    if (level === '#') return true;
    if (narrow[at] === undefined || narrow[at] === '#') return false;
    if (level !== '+' && level !== narrow[at]) return false;
  }
  return wide.length === narrow.length;
}

const NOT_AUTHORIZED = 0x87;
