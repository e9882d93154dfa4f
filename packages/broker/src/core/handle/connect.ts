// CONNECT (3.1): decode, prove, authorise the will, open or take over the session; connack.ts answers.
// No state is touched for a client before it is proven.

import {
  type Connect,
  connackReturnCode,
  copyOf,
  decodeFrom,
  PeerError,
  type ProtocolVersion,
  type Reason,
  type Will,
} from '@motte/wire';
import type { Rights, Subject } from '../../ports/access.ts';
import type { Authentication, Evidence, Proven } from '../../ports/guards.ts';
import { identityKey } from '../../ports/identity.ts';
import type { OpenedSession } from '../../ports/store.ts';
import type { Layer } from '../../ports/verdict.ts';
import type { Client } from '../client.ts';
import { endClient, refuseConnect } from '../end-client.ts';
import { challengeClient } from '../exchange.ts';
import { checkNewcomer } from '../newcomers.ts';
import { checkMessage } from '../quotas.ts';
import { NEVER_EXPIRES, type Session, type SessionStart } from '../session.ts';
import { beginSession, endSession, restoreSession } from '../sessions.ts';
import { acceptConnect } from './connack.ts';

/** Length of the random part of a client identifier that the server assigns. */
const ASSIGNED_LENGTH = 20;

export function receiveConnect(
  client: Client,
  buffer: Uint8Array,
  start: number,
  bodyStart: number,
  end: number,
): void {
  const { core, facts } = client;
  client.state = 'proving';
  client.link.version = versionOf(buffer, bodyStart, end);
  const packet = decodeFrom(buffer, start, bodyStart, end, client.version);
  if (packet.type !== 'connect')
    throw new PeerError('protocol-error', 'MQTT-3.1.0-1', 'the first packet is not a CONNECT');
  client.link.version = packet.version;
  client.problemInformation = packet.properties.requestProblemInformation !== 0;
  client.clientId = packet.clientId;
  if (core.stopping !== undefined) {
    refused(client, 'broker', 'server-unavailable', 'the broker is shutting down', 'broker');
    return;
  }
  if (!facts.listener.versions.includes(packet.version)) {
    refused(
      client,
      'broker',
      'unsupported-protocol-version',
      `protocol level ${packet.version} is not taken here`,
      'listeners.versions',
    );
    return;
  }
  if (packet.clientId === '' && packet.version !== 5 && (packet.version === 3 || !packet.cleanStart)) {
    const because = 'MQTT 3 without a client identifier needs a clean session';
    refused(client, 'protocol', 'client-identifier-not-valid', because, 'MQTT-3.1.3-8');
    return;
  }
  client.connect = packet;
  client.method = packet.properties.authenticationMethod;
  const evidence: Evidence = {
    facts,
    clientId: packet.clientId,
    userName: packet.userName,
    password: packet.password,
    method: client.method,
    data: packet.properties.authenticationData,
  };
  client.settle(() => core.guards.authenticate(evidence), settleConnect);
}

/** The guards have spoken. */
export function settleConnect(client: Client, outcome: Authentication): void {
  if (outcome.allow === 'challenge') challengeClient(client, outcome);
  else if (!outcome.allow) refused(client, 'identity', outcome.reason, outcome.because, outcome.rule);
  else authoriseConnect(client, outcome);
}

function authoriseConnect(client: Client, proven: Proven): void {
  const { core, facts } = client;
  const connect = client.connect as Connect;
  const { identity } = proven;
  client.identity = identity;
  // From here on whoever takes it away finds it, though the session is not open yet.
  client.token = proven.token;
  const fell = core.guards.standing?.(facts, identity, proven.token);
  if (fell !== undefined) {
    // Taken away while a later round of the proof was under way.
    refused(client, 'identity', fell.refusal.reason, fell.refusal.because, fell.refusal.rule);
    return;
  }
  const weakness = core.guards.assess?.(facts, client.version);
  if (weakness?.action === 'refuse') {
    refused(client, 'identity', 'not-authorized', `${identity.name}: ${weakness.because}`, weakness.rule);
    return;
  }
  if (facts.listener.clientIds === 'own' && !ownsClientId(identity.name, client.clientId)) {
    const because = `the client identifier must be ${identity.name} or begin with ${identity.name}/`;
    refused(client, 'identity', 'client-identifier-not-valid', because, 'listeners.clientIds');
    return;
  }
  if (client.clientId === '') client.clientId = `${identity.name}/${core.random.token(ASSIGNED_LENGTH)}`;
  const subject: Subject = { identity, clientId: client.clientId, facts };
  let rights = core.access.rightsOf(subject);
  const { will } = connect;
  if (!mayLeave(client, will, rights)) return;
  if (will !== undefined) client.will = keptWill(will);
  const key = core.sessionKey(identityKey(identity), client.clientId);
  const claim = (opened: OpenedSession | undefined): void => {
    if (rights.generation !== core.access.generation) {
      // Another policy came while the store was asked: nobody gets in by the one before.
      rights = core.access.rightsOf(subject);
      if (!mayLeave(client, will, rights)) return;
    }
    const session = claimSession(
      client,
      connect,
      { key, identity, clientId: client.clientId, subject, rights },
      opened,
    );
    if (session === undefined) return;
    if (weakness !== undefined) {
      client.weakness = weakness.because;
      core.reports.flagged(client, weakness);
    }
    session.subject = subject;
    session.rights = rights;
    core.router.refresh(session);
    acceptConnect(client, connect, session, proven);
  };
  if (connect.cleanStart) claim(undefined);
  else openSession(client, key, claim);
}

/** Whether these rights let the client have its will; refused if they do not. */
function mayLeave(client: Client, will: Will | undefined, rights: Rights): boolean {
  if (will === undefined) return true;
  const { core } = client;
  const { topic } = will;
  const allowed = core.access.publish(rights, topic, will.qos, will.retain, will);
  const verdict = allowed.allow ? checkMessage(rights.quotas, topic, will.payload.length) : allowed;
  if (!verdict.allow) {
    refused(client, 'access', verdict.reason, `the will: ${verdict.because}`, verdict.rule, topic);
    return false;
  }
  if (!core.router.route(topic).isTooDeep) return true;
  const because = `the topic of the will has more than ${core.limits.topicLevelsMax} levels`;
  refused(client, 'broker', 'topic-name-invalid', because, 'limits.topicLevelsMax', topic);
  return false;
}

/** Asks the store, unless the core knows better: what began or ended while it was asked makes its answer worthless. */
function openSession(client: Client, key: string, claim: (opened: OpenedSession | undefined) => void): void {
  const { core } = client;
  if (core.sessions.has(key)) {
    claim(undefined);
    return;
  }
  client.state = 'opening';
  const asked = core.openings.begin(key);
  core.store.openSession(key, (opened, fault) => {
    core.openings.end(asked);
    if (client.state !== 'opening') return;
    client.link.run(() => {
      if (fault !== undefined) throw core.reports.storeFault(fault);
      if (asked.overtaken) openSession(client, key, claim);
      else claim(opened);
    });
  });
}

/** The will with bytes of its own: it outlives the packet that it came in. */
function keptWill(will: Will): Will {
  const { correlationData } = will.properties;
  const properties =
    correlationData === undefined ? will.properties : { ...will.properties, correlationData: copyOf(correlationData) };
  return { ...will, payload: copyOf(will.payload), properties };
}

/** One device may have several clients: NAME, NAME/anything, or none given. */
function ownsClientId(name: string, clientId: string): boolean {
  return clientId === '' || clientId === name || clientId.startsWith(`${name}/`);
}

/** Takes the session over, resumes it, or begins a new one [MQTT-3.1.2-4] to [MQTT-3.1.2-6], [MQTT-3.1.4-3]. */
function claimSession(
  client: Client,
  connect: Connect,
  claim: Omit<SessionStart, 'expirySeconds' | 'generation' | 'stored'>,
  opened: OpenedSession | undefined,
): Session | undefined {
  const { core } = client;
  const expirySeconds = expiryOf(client, connect);
  const resumes = !connect.cleanStart && (core.sessions.get(claim.key)?.stored ?? opened !== undefined);
  const refusal = checkNewcomer(core, { ...claim, expirySeconds, resumes });
  if (refusal !== undefined) {
    refused(client, 'broker', refusal.reason, refusal.because, refusal.rule);
    return undefined;
  }
  const online = core.sessions.get(claim.key)?.client;
  if (online !== undefined) {
    core.emit('session.taken-over', core.reports.who(online));
    online.link.run(() => endClient(online, { reason: 'session-taken-over', byPeer: false, will: true }));
  }
  const known = core.sessions.get(claim.key);
  if (known !== undefined && connect.cleanStart) endSession(core, known);
  else if (known !== undefined) {
    known.expirySeconds = expirySeconds;
    known.generation += 1;
    client.sessionPresent = true;
    return known;
  } else if (connect.cleanStart && core.store.hasSession(claim.key)) {
    // Of an earlier run, which nobody has asked for since: it is discarded all the same [MQTT-3.1.2-4].
    core.store.stage({ kind: 'session-end', key: claim.key }, true);
  }
  if (opened === undefined) {
    return beginSession(core, { ...claim, expirySeconds, generation: 1, stored: expirySeconds > 0 });
  }
  client.sessionPresent = true;
  const generation = opened.session.generation + 1;
  return restoreSession(core, { ...claim, expirySeconds, generation, stored: true }, opened);
}

/** MQTT 3 knows clean or for ever; MQTT 5.0 says how many seconds (3.1.2.11.2). */
function expiryOf(client: Client, connect: Connect): number {
  const asked =
    client.version === 5 ? (connect.properties.sessionExpiryInterval ?? 0) : connect.cleanStart ? 0 : NEVER_EXPIRES;
  return Math.min(asked, client.core.limits.sessionExpirySecondsMax);
}

/** The version before the rest is decoded, so that a CONNACK can say what was wrong with it. */
function versionOf(buffer: Uint8Array, bodyStart: number, end: number): ProtocolVersion {
  if (end - bodyStart < 2) return 4;
  const nameLength = (buffer[bodyStart] as number) * 256 + (buffer[bodyStart + 1] as number);
  const at = bodyStart + 2 + nameLength;
  const level = at < end ? (buffer[at] as number) : 4;
  return level >= 5 && level < 0x80 ? 5 : level === 3 ? 3 : 4;
}

function refused(client: Client, layer: Layer, reason: Reason, because: string, rule: string, topic?: string): void {
  const seen = refuseConnect(client, reason, connackReturnCode(reason));
  client.core.reports.refused(client, {
    layer,
    reason,
    because,
    rule,
    packet: 'connect',
    seen,
    ...(topic === undefined ? {} : { topic }),
  });
}
