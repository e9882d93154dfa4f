// Access: compiles rights, remembers verdicts, answers the core. Owns the generation number; what the rules mean is in
// decide.ts, what an identity is lies with identity.

import { type QoS, shareOf, type TopicFilter, type TopicName } from '@motte/wire';
import type { Access, PayloadCarrier, ReceiveVerdict, Rights, Subject } from '../ports/access.ts';
import { type Identity, identityKey } from '../ports/identity.ts';
import type { Quotas } from '../ports/quotas.ts';
import { ALLOW, type Verdict } from '../ports/verdict.ts';
import { builtInPolicy } from './builtin-roles.ts';
import { type CompiledRules, compileRules } from './compile.ts';
import { decide, type MessageFacts } from './decide.ts';
import { explain } from './explain.ts';
import type { Policy } from './policy.ts';
import type { Recorder } from './recorder.ts';
import type { Action } from './rule.ts';
import { VerdictMemory } from './verdict-memory.ts';

class PolicyRights implements Rights {
  readonly subject: Subject;
  readonly verdicts = new VerdictMemory();
  compiled: CompiledRules;
  generation: number;
  /** Of access when these rights were last brought up to date. */
  stamp = 0;
  /** Sees what is asked for, while the identity is watched. */
  recorder: Recorder | undefined = undefined;

  constructor(subject: Subject, compiled: CompiledRules, generation: number) {
    this.subject = subject;
    this.compiled = compiled;
    this.generation = generation;
  }

  get identity(): Identity {
    return this.subject.identity;
  }

  get quotas(): Quotas {
    return this.compiled.quotas;
  }
}

/** Access under this policy, by default that of the built-in roles. */
export function createAccess(policy?: Policy): PolicyAccess {
  return new PolicyAccess(policy);
}

export class PolicyAccess implements Access {
  generation = 1;
  #policy: Policy;
  /** Raised with the generation, and when a watch begins or ends: rights with another number are to be looked at. */
  #stamp = 1;
  /** By the key of the identity. */
  readonly #recorders = new Map<string, Recorder>();

  constructor(policy: Policy = builtInPolicy()) {
    this.#policy = policy;
  }

  /** Puts another policy in force, for rights that were made before as well. */
  replacePolicy(policy: Policy): void {
    this.#policy = policy;
    this.generation += 1;
    this.#stamp += 1;
  }

  /**
   * From now on the recorder sees what is asked for by rights of the identity with this key. Nothing is compiled or routed
   * anew: all other rights look once whether they are meant.
   */
  watch(key: string, recorder: Recorder): void {
    this.#recorders.set(key, recorder);
    this.#stamp += 1;
  }

  unwatch(key: string): void {
    this.#recorders.delete(key);
    this.#stamp += 1;
  }

  get policy(): Policy {
    return this.#policy;
  }

  /** Topics that somebody with these rights asked to publish to lately; rights of another access know none. */
  topicsOf(rights: Rights): Iterable<TopicName> {
    return rights instanceof PolicyRights ? rights.verdicts.topics() : [];
  }

  rightsOf(subject: Subject): Rights {
    return new PolicyRights(subject, compileRules(this.#policy, subject), this.generation);
  }

  publish(rights: Rights, topic: TopicName, qos: QoS, retain: boolean, carrier: PayloadCarrier): Verdict {
    const own = this.#inForce(rights);
    const known = own.verdicts.find(topic) ?? this.#firstPublish(own, topic);
    const verdict = known === 'ask' ? verdictOn(own, 'publish', topic, factsOf(qos, retain, carrier)) : known;
    // Each message, not the first of a topic alone: rules can speak of QoS and RETAIN.
    if (own.recorder !== undefined) own.recorder.publish(own.compiled, topic, factsOf(qos, retain, carrier), verdict);
    return verdict;
  }

  #firstPublish(own: PolicyRights, topic: TopicName): Verdict | 'ask' {
    const decision = decide(own.compiled, 'publish', topic, undefined);
    if (decision.outcome === 'ask') return own.verdicts.remember(topic, 'ask');
    const isAllowed = decision.outcome === 'allow';
    return own.verdicts.remember(
      topic,
      isAllowed ? ALLOW : explain(own.compiled, decision, 'publish', topic, undefined),
    );
  }

  /** Of a shared subscription, what follows `$share/NAME/` is authorised. */
  subscribe(rights: Rights, filter: TopicFilter): Verdict {
    const own = this.#inForce(rights);
    const plain = shareOf(filter)?.filter ?? filter;
    const verdict = verdictOn(own, 'subscribe', plain, undefined);
    own.recorder?.subscribe(own.compiled, plain, verdict);
    return verdict;
  }

  receive(rights: Rights, topic: TopicName): ReceiveVerdict {
    return RECEIVE[decide(this.#inForce(rights).compiled, 'receive', topic, undefined).outcome];
  }

  receiveMessage(rights: Rights, topic: TopicName, qos: QoS, retain: boolean, carrier: PayloadCarrier): boolean {
    const { compiled } = this.#inForce(rights);
    return decide(compiled, 'receive', topic, factsOf(qos, retain, carrier)).outcome === 'allow';
  }

  /** The rights under the policy of now: nobody goes on with what an older one gave. */
  #inForce(rights: Rights): PolicyRights {
    const own = rights as PolicyRights;
    if (own.stamp !== this.#stamp) this.#renew(own);
    return own;
  }

  #renew(own: PolicyRights): void {
    if (own.generation !== this.generation) {
      own.compiled = compileRules(this.#policy, own.subject);
      own.verdicts.clear();
      own.generation = this.generation;
    }
    own.recorder = this.#recorders.size === 0 ? undefined : this.#recorders.get(identityKey(own.identity));
    own.recorder?.join(own.compiled);
    own.stamp = this.#stamp;
  }
}

function verdictOn(own: PolicyRights, action: Action, target: string, message: MessageFacts | undefined): Verdict {
  const decision = decide(own.compiled, action, target, message);
  return decision.outcome === 'allow' ? ALLOW : explain(own.compiled, decision, action, target, message);
}

/** No payload counts as sealed yet: what is granted to sealed messages only is granted to none. */
function factsOf(qos: QoS, retain: boolean, _carrier: PayloadCarrier): MessageFacts {
  return { qos, retain, sealed: false };
}

const RECEIVE: { readonly [outcome in 'allow' | 'deny' | 'ask']: ReceiveVerdict } = {
  allow: 'always',
  deny: 'never',
  ask: 'ask',
};
