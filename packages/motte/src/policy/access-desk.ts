// Answers questions about rights: finds out whom they are about, and by which listener such an identity would come.

import { MotteError } from '@motte/admin/errors';
import { askPolicy, heldRight, imagineSubject, type Policy, parseWho, rolesOf, type Who } from '@motte/broker/policy';
import type { Subject } from '@motte/broker/ports/access';
import type { AccessDesk, AccessQuestion, RightHolder } from '@motte/broker/ports/access-desk';
import type { ListenerFacts } from '@motte/broker/ports/connection-facts';
import { findDevice, type IdentityDirectory, type RegisteredIdentity } from '@motte/broker/ports/directory';
import { identityKey, identityLabel, OWN_REALM, TOKEN_REALM } from '@motte/broker/ports/identity';
import { PeerError, parseTopicFilter, parseTopicName, shareOf } from '@motte/wire';

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
      const { who, clientId } = whoIs(question.client, directory);
      const known = directory.find(who.realm, who.name);
      const listener = listenerFor(who, question.via, listeners());
      const circumstances = { address: question.from, listener: listener ?? question.via };
      const subject: Subject = { ...imagineSubject(who, known, circumstances), clientId };
      const target = parseTarget(action, question.topic);
      const answer = askPolicy(policy(), subject, { action, target, message: { qos, retain, sealed: false } });
      const isDisabled = known?.state === 'disabled';
      return {
        allow: answer.allow && !isDisabled,
        identity: identityLabel(who),
        registered: known !== undefined,
        roles: [...rolesOf(policy(), subject.identity, subject.facts.listener.role)],
        listener: listener?.name ?? question.via,
        because: isDisabled ? 'it is disabled, and cannot connect' : answer.because,
        rule: isDisabled ? 'registry' : answer.rule,
        considered: answer.considered.slice(0, CONSIDERED_MAX),
      };
    },
    who(text) {
      const topic = parseTarget('publish', text);
      const rights = rightsByKind(policy(), topic, (who) => listenerFor(who, '', listeners()));
      const holders: RightHolder[] = [];
      for (const { who, known } of everybody(directory, policy())) {
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
  listenerOf: (who: Who) => ListenerFacts | undefined,
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
      const subject = imagineSubject({ realm, name }, known, { address: '', listener: listenerOf(who) ?? '' });
      rights = {
        publish: heldRight(policy, subject, 'publish', topic),
        receive: heldRight(policy, subject, 'receive', topic),
      };
      kinds.set(kind, rights);
    }
    return rights;
  };
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

/** The one that is named, or the first that takes such an identity. Throws MOT-0907. */
function listenerFor(who: Who, via: string, known: readonly ListenerFacts[] | undefined): ListenerFacts | undefined {
  if (via === '') return known?.find((listener) => takes(listener, who));
  const named = known?.find(({ name }) => name === via);
  if (known !== undefined && named === undefined) throw new MotteError('MOT-0907', `there is no listener ${via}`);
  return named;
}

function takes({ authentication, clientCa }: ListenerFacts, { realm }: Who): boolean {
  if (realm.startsWith(TOKEN_REALM)) return authentication === 'token' || authentication === 'any';
  if (!realm.startsWith('ca:')) return authentication === realm || (authentication === 'any' && realm !== 'psk');
  return (authentication === 'certificate' || authentication === 'any') && (clientCa ?? [OWN_REALM]).includes(realm);
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

/** Whom the registry knows, and whom groups name without it. */
function* everybody(
  directory: AccessDeskParts['directory'],
  { memberships }: Policy,
): Generator<{ who: Who; known: RegisteredIdentity | undefined }> {
  for (const known of directory.list()) yield { who: known, known };
  for (const key of memberships.keys()) {
    const [realm = '', name = ''] = key.split('\n');
    if (directory.find(realm, name) === undefined) yield { who: { realm, name }, known: undefined };
  }
}

const CONSIDERED_MAX = 100;
