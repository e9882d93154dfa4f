// AUTH (3.15, 4.12): the client's answer to a challenge, or its wish to prove itself again while connected.

import { type Auth, PeerError, reasonCode } from '@motte/wire';
import type { Authentication, Proven } from '../../ports/guards.ts';
import { type Identity, identityKey, identityLabel } from '../../ports/identity.ts';
import { type Refusal, refuse } from '../../ports/verdict.ts';
import type { Client } from '../client.ts';
import { endClient } from '../end-client.ts';
import { challengeClient, encodeAuth } from '../exchange.ts';
import { slowByDebt } from '../quotas.ts';
import { reauthoriseSession } from '../reauthorise.ts';
import { settleConnect } from './connect.ts';

export function receiveAuth(client: Client, packet: Auth): void {
  const { authenticationMethod: method, authenticationData: data } = packet.properties;
  if (client.method === undefined || method !== client.method) {
    throw new PeerError('protocol-error', 'MQTT-4.12.0-5', 'AUTH with another Authentication Method than CONNECT');
  }
  const { challenge } = client;
  if (packet.reasonCode === reasonCode('continue-authentication') && challenge !== undefined) {
    client.challenge = undefined;
    client.settle(() => challenge.respond(data), settle);
    return;
  }
  // One proof at a time: whoever began another with each packet would take the places of all others who want to prove themselves.
  const isFree = client.state === 'open' && challenge === undefined && !client.isProving;
  if (packet.reasonCode === reasonCode('re-authenticate') && isFree) {
    const { facts, clientId } = client;
    const evidence = { facts, clientId, userName: undefined, password: undefined, method, data };
    client.settle(() => client.core.guards.authenticate(evidence), settle);
    return;
  }
  throw new PeerError('protocol-error', 'MQTT-4.12.0-3', `AUTH 0x${packet.reasonCode.toString(16)} where none is due`);
}

/** One round is over: ask again, let in, or refuse; before CONNACK that is CONNECT's business. */
function settle(client: Client, outcome: Authentication): void {
  if (outcome.allow === 'challenge') {
    challengeClient(client, outcome);
    return;
  }
  if (client.state !== 'open') {
    settleConnect(client, outcome);
    return;
  }
  const settled = outcome.allow ? checkOwn(client, outcome) : outcome;
  if (!settled.allow) {
    const { reason, because, rule } = settled;
    client.core.reports.refused(client, {
      layer: 'identity',
      reason,
      because,
      rule,
      packet: 'auth',
      seen: 'DISCONNECT 0x87',
    });
    endClient(client, { reason: 'not-authorized', byPeer: false, will: true });
    return;
  }
  client.proofEndsAtMs = settled.expiresAtMs;
  client.outlivesProof = false;
  client.token = settled.token;
  client.link.write(encodeAuth(client, 'success', settled.data));
  takeRoles(client, settled.identity);
}

/** The session is one identity's: nobody else can prove himself into it. */
function checkOwn({ core, facts, identity }: Client, proven: Proven): Proven | Refusal {
  if (identity !== undefined && identityKey(identity) === identityKey(proven.identity)) {
    return core.guards.standing?.(facts, identity, proven.token)?.refusal ?? proven;
  }
  const because = `proved ${identityLabel(proven.identity)} on a connection of another identity`;
  return refuse('not-authorized', because, 'MQTT-4.12.1-2');
}

/** A new proof may come with other roles; what they no longer grant ends now. */
function takeRoles(client: Client, identity: Identity): void {
  const { core, session } = client;
  if (session === undefined || session.client !== client) return;
  const before = session.identity.roles;
  if (before.length === identity.roles.length && before.every((role) => identity.roles.includes(role))) return;
  client.identity = identity;
  session.subject = { ...session.subject, identity };
  session.rights = core.access.rightsOf(session.subject);
  core.router.refresh(session);
  // With the roles come their quotas: what is owed by then is held against those.
  if (reauthoriseSession(core, session) === 0) slowByDebt(client, session);
  if (session.stored) core.store.stage({ kind: 'session', session: session.record() }, true);
}
