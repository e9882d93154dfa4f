// Answers questions about rights: finds out whom they are about; by which listeners such an identity comes is in ways-in.ts.

import { MotteError } from '@motte/admin/errors';
import { askPolicy, heldRight, imagineSubject, type Policy, parseWho, rolesOf, type Who } from '@motte/broker/policy';
import type { Subject } from '@motte/broker/ports/access';
import type { AccessDesk, AccessQuestion, HeldRight, RightHolder } from '@motte/broker/ports/access-desk';
import type { ListenerFacts } from '@motte/broker/ports/connection-facts';
import { findDevice, type IdentityDirectory, type RegisteredIdentity } from '@motte/broker/ports/directory';
import { identityKey, identityLabel, OWN_REALM } from '@motte/broker/ports/identity';
import { PeerError, parseTopicFilter, parseTopicName, shareOf } from '@motte/wire';
import { isStranger, listenerFor, parseStranger, strangerOn, waysIn, whyShut } from './ways-in.ts';

export interface AccessDeskParts {
  readonly policy: () => Policy;
  readonly directory: Pick<IdentityDirectory, 'find' | 'list'>;
  /** Undefined = not known. */
  readonly listeners: () => readonly ListenerFacts[] | undefined;
}

export function createAccessDesk({ policy, directory, listeners }: AccessDeskParts): AccessDesk {
  return {
    check(question) {
      const { action, qos, retain } = question;
      const doors = listeners();
      const asked = parseStranger(question.client, doors) ?? whoIs(question.client, directory);
      const listener = listenerFor(asked.who, question.via, doors);
      // Credentials are ignored there: whoever was meant is not who comes in.
      const who = listener?.authentication === 'none' && !isStranger(asked.who) ? strangerOn(listener) : asked.who;
      const known = directory.find(who.realm, who.name);
      const circumstances = { address: question.from, listener: listener ?? question.via };
      const subject: Subject = { ...imagineSubject(who, known, circumstances), clientId: asked.clientId };
      const target = parseTarget(action, question.topic);
      const answer = askPolicy(policy(), subject, { action, target, message: { qos, retain, sealed: false } });
      const shut = known?.state === 'disabled' ? DISABLED : listener && whyShut(listener, who);
      return {
        allow: answer.allow && shut === undefined,
        identity: identityLabel(who),
        registered: known !== undefined,
        roles: [...rolesOf(policy(), subject.identity, subject.facts.listener.role)],
        listener: listener?.name ?? question.via,
        because: shut?.because ?? answer.because,
        rule: shut?.rule ?? answer.rule,
        considered: answer.considered.slice(0, CONSIDERED_MAX),
      };
    },
    who(text) {
      const topic = parseTarget('publish', text);
      const doors = listeners() ?? [];
      const rights = rightsByKind(policy(), topic, (who) => waysIn(who, doors));
      const holders: RightHolder[] = [];
      for (const { who, known } of everybody(directory, policy(), doors)) {
        if (known?.state === 'disabled') continue;
        const { publish, receive } = rights(who, known);
        if (publish !== 'no' || receive !== 'no') holders.push({ identity: identityLabel(who), publish, receive });
      }
      return holders.sort((a, b) => (a.identity < b.identity ? -1 : 1));
    },
  };
}

type Rights = Pick<RightHolder, 'publish' | 'receive'>;

/**
 * What the topic is to somebody. Placeholders fill a level with the name: all whose name is no level of the topic have the same
 * rights by the same roles, and are looked at once, of however many are registered.
 */
function rightsByKind(
  policy: Policy,
  topic: string,
  waysOf: (who: Who) => readonly ListenerFacts[],
): (who: Who, known: RegisteredIdentity | undefined) => Rights {
  const levels = new Set(topic.split('/'));
  const kinds = new Map<string, Rights>();
  return (who, known) => {
    const given = policy.memberships.size === 0 ? undefined : policy.memberships.get(identityKey(who));
    const own = known === undefined ? '' : `${known.kind}\n${known.roles.join('\n')}`;
    const kind = `${who.realm}\n${levels.has(who.name) ? who.name : ''}\n${own}\n\n${given?.join('\n') ?? ''}`;
    let rights = kinds.get(kind);
    if (rights === undefined) {
      const { realm, name } = who;
      const ways = waysOf(who);
      const subjects = (ways.length === 0 ? [''] : ways).map((listener) =>
        imagineSubject({ realm, name }, known, { address: '', listener }),
      );
      rights = {
        publish: throughout(subjects.map((subject) => heldRight(policy, subject, 'publish', topic))),
        receive: throughout(subjects.map((subject) => heldRight(policy, subject, 'receive', topic))),
      };
      kinds.set(kind, rights);
    }
    return rights;
  };
}

/** Where it is not the same by every listener it depends on that. */
function throughout(held: readonly HeldRight[]): HeldRight {
  const [first = 'no'] = held;
  return held.every((one) => one === first) ? first : 'some';
}

/** `NAME`, `NAME/anything` or `NAME@REALM`. Without a realm it is the only registered one of that name, or a device of our own. */
function whoIs(client: string, directory: AccessDeskParts['directory']): { who: Who; clientId: string } {
  const slash = client.indexOf('/');
  const name = client.includes('@') || slash === -1 ? client : client.slice(0, slash);
  const who = parseWho(name);
  if (typeof who === 'string') throw new MotteError('MOT-0907', who);
  const clientId = name === client ? who.name : client;
  if (name.includes('@')) return { who, clientId };
  const own = findDevice(directory, { name });
  if (own !== undefined) return { who: { realm: own.realm, name }, clientId };
  const others = directory.list().filter((one) => one.name === name);
  if (others.length > 1) {
    throw new MotteError('MOT-0907', `${name} may be ${others.map(identityLabel).join(', ')}: write which one`);
  }
  return { who: { realm: others[0]?.realm ?? OWN_REALM, name }, clientId };
}

function parseTarget(action: AccessQuestion['action'], text: string): string {
  try {
    if (action !== 'subscribe') return parseTopicName(text);
    const filter = parseTopicFilter(text);
    return shareOf(filter)?.filter ?? filter;
  } catch (fault) {
    if (!(fault instanceof PeerError)) throw fault;
    throw new MotteError('MOT-0907', fault.message);
  }
}

/** Whom the registry knows, whom groups name without it, and whoever comes by a listener that asks for no proof. */
function* everybody(
  directory: AccessDeskParts['directory'],
  { memberships }: Policy,
  doors: readonly ListenerFacts[],
): Generator<{ who: Who; known: RegisteredIdentity | undefined }> {
  for (const known of directory.list()) yield { who: known, known };
  for (const key of memberships.keys()) {
    const [realm = '', name = ''] = key.split('\n');
    if (directory.find(realm, name) === undefined) yield { who: { realm, name }, known: undefined };
  }
  for (const door of doors) if (door.authentication === 'none') yield { who: strangerOn(door), known: undefined };
}

const DISABLED = { because: 'it is disabled, and cannot connect', rule: 'registry' };

const CONSIDERED_MAX = 100;
