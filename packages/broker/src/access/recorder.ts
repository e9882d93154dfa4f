// What one identity asks for while it is watched, bounded however much it invents. Only what the rights of that identity
// are asked passes here. Deliveries do not: whoever may subscribe may receive, and routes remember their verdicts.

import type { QoS } from '@motte/wire';
import type { IdentityKind } from '../ports/identity.ts';
import type { Refusal, Verdict } from '../ports/verdict.ts';
import {
  WATCH_LIMITS,
  type WatchedCounts,
  type WatchedFilter,
  type WatchedPublish,
  type WatchedRefusal,
  type WatchedTerms,
  type WatchRecord,
} from '../ports/watch.ts';
import type { CompiledRules } from './compile.ts';
import { allowing, type MessageFacts } from './decide.ts';
import type { RuleConditions } from './rule.ts';

export class Recorder {
  readonly #publishes = new Kept<WatchedPublish>(WATCH_LIMITS.topicsMax);
  readonly #filters = new Kept<WatchedFilter>(WATCH_LIMITS.filtersMax);
  readonly #refusals = new Kept<WatchedRefusal>(WATCH_LIMITS.refusalsMax);
  readonly #roles = new Set<string>();
  /** Rules of which some allow on terms. */
  readonly #onTerms = new WeakSet<CompiledRules>();
  #kind: IdentityKind | undefined;

  get seen(): WatchedCounts {
    return { topics: this.#publishes.size, filters: this.#filters.size, refusals: this.#refusals.size };
  }

  get record(): WatchRecord {
    return {
      kind: this.#kind,
      roles: [...this.#roles],
      publishes: this.#publishes.all,
      filters: this.#filters.all,
      refusals: this.#refusals.all,
      unkept: {
        publishes: this.#publishes.unkept,
        filters: this.#filters.unkept,
        refusals: this.#refusals.unkept,
      },
    };
  }

  /** Before anything else that these rules decide. */
  join(compiled: CompiledRules): void {
    this.#kind = compiled.subject.identity.kind;
    for (const { name } of compiled.roles) this.#roles.add(name);
    const allows = compiled.roles.flatMap(({ rules }) => rules.filter(({ effect }) => effect === 'allow'));
    if (allows.some(({ conditions }) => !isFree(conditions))) this.#onTerms.add(compiled);
  }

  publish(compiled: CompiledRules, topic: string, message: MessageFacts, verdict: Verdict): void {
    if (!verdict.allow) {
      this.#refuse('publish', topic, verdict);
      return;
    }
    const { via, from, address } = this.#termsOf(compiled, 'publish', topic, message);
    // What QoS and RETAIN the rule took says less than the messages do.
    const terms = { ...NO_TERMS, via, from, address };
    const known = this.#publishes.find(keyOf(terms, topic));
    const qosMax: QoS = known === undefined || message.qos > known.qosMax ? message.qos : known.qosMax;
    const retained = known?.retained === true || message.retain;
    if (known !== undefined && known.qosMax === qosMax && known.retained === retained) return;
    this.#publishes.keep(keyOf(terms, topic), topic, { topic, qosMax, retained, terms: known?.terms ?? terms });
  }

  subscribe(compiled: CompiledRules, filter: string, verdict: Verdict): void {
    if (!verdict.allow) {
      this.#refuse('subscribe', filter, verdict);
      return;
    }
    const terms = this.#termsOf(compiled, 'subscribe', filter, undefined);
    const key = keyOf(terms, filter);
    if (this.#filters.find(key) === undefined) this.#filters.keep(key, filter, { filter, terms });
  }

  #refuse(action: WatchedRefusal['action'], target: string, { because, rule }: Refusal): void {
    const key = `${action}\0${target}`;
    if (this.#refusals.find(key) === undefined) this.#refusals.keep(key, target, { action, target, because, rule });
  }

  /** Of the rule that allows it; none where one allows it without. What is proposed must not hold where that did not. */
  #termsOf(
    compiled: CompiledRules,
    action: 'publish' | 'subscribe',
    target: string,
    message: MessageFacts | undefined,
  ): WatchedTerms {
    if (!this.#onTerms.has(compiled)) return NO_TERMS;
    const allows = allowing(compiled, action, target, message).map(({ rule }) => rule.conditions);
    const [first] = allows;
    if (first === undefined || allows.some(isFree)) return NO_TERMS;
    const { via, from, qosMax, noRetain } = first;
    const address = from === undefined ? '' : compiled.subject.facts.address;
    return { via, from: from?.text, address, qosMax, noRetain };
  }
}

/** Values by key up to a number and to a weight in characters; what is beyond is counted, each time that it comes. */
class Kept<T> {
  readonly #values = new Map<string, T>();
  readonly #max: number;
  #characters = 0;
  unkept = 0;

  constructor(max: number) {
    this.#max = max;
  }

  get size(): number {
    return this.#values.size;
  }

  get all(): readonly T[] {
    return [...this.#values.values()];
  }

  find(key: string): T | undefined {
    return this.#values.get(key);
  }

  keep(key: string, target: string, value: T): void {
    if (!this.#values.has(key)) {
      const { targetCharactersMax, charactersMax } = WATCH_LIMITS;
      const isFull = this.#values.size >= this.#max || this.#characters + target.length > charactersMax;
      if (isFull || target.length > targetCharactersMax) {
        this.unkept += 1;
        return;
      }
      this.#characters += target.length;
    }
    this.#values.set(key, value);
  }
}

/** No topic, name or network has the character that stands between them. */
function keyOf({ via = '', from = '', qosMax, noRetain }: WatchedTerms, target: string): string {
  return `${via}\0${from}\0${qosMax}\0${noRetain}\0${target}`;
}

function isFree({ via, from, qosMax, noRetain }: RuleConditions): boolean {
  return via === undefined && from === undefined && qosMax === 2 && !noRetain;
}

const NO_TERMS: WatchedTerms = Object.freeze({
  via: undefined,
  from: undefined,
  address: '',
  qosMax: 2,
  noRetain: false,
});
