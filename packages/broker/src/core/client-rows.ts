// Every connection and stored session as an administrator sees it; read on demand, nothing is kept for it.

import type { ClientRow, KickQuery, ClientState as RowState } from '../ports/admin-view.ts';
import { identityLabel } from '../ports/identity.ts';
import type { Client, ClientState } from './client.ts';
import { OUTLIVES_PROOF } from './connection-deadlines.ts';
import type { Core } from './core.ts';
import { endClient } from './end-client.ts';
import type { Session } from './session.ts';

const DAY_MS = 86_400_000;

const STATES: Readonly<Record<ClientState, RowState>> = {
  connecting: 'connecting',
  proving: 'connecting',
  opening: 'opening',
  open: 'connected',
  closed: 'closing',
};

export function clientRows(core: Core): ClientRow[] {
  const rows: ClientRow[] = [];
  for (const client of core.clients) rows.push(rowOf(client));
  for (const session of core.sessions.values()) if (session.client === undefined) rows.push(awayRowOf(core, session));
  return rows;
}

/** Ends the connections that match; gives how many. */
export function kickClients(core: Core, query: KickQuery): number {
  let kicked = 0;
  for (const client of [...core.clients]) {
    const row = rowOf(client);
    const isMeant =
      (query.connection !== undefined && query.connection === row.connection) ||
      (query.clientId !== undefined && query.clientId === row.clientId) ||
      (query.identity !== undefined && query.identity === row.identity) ||
      (query.realm !== undefined && query.realm === client.identity?.realm);
    if (!isMeant) continue;
    client.link.run(() => endClient(client, { reason: 'administrative-action', byPeer: false, will: true }));
    kicked += 1;
  }
  return kicked;
}

function rowOf(client: Client): ClientRow {
  const { facts, session } = client;
  return {
    connection: facts.id,
    state: STATES[client.state],
    clientId: client.clientId,
    identity: session === undefined ? '' : identityLabel(session.identity),
    roles: session?.identity.roles ?? [],
    listener: facts.listener.name,
    address: facts.address,
    port: facts.port,
    version: client.state === 'connecting' ? 0 : client.version,
    keepAlive: client.keepAliveSeconds,
    sessionExpiry: session?.expirySeconds ?? 0,
    sinceMs: facts.openedAtMs,
    tls: facts.tls === undefined ? '' : `${facts.tls.protocol} ${facts.tls.cipher}`,
    tlsGroups: facts.tls?.groups ?? '',
    tlsResumed: facts.tls?.resumed ?? false,
    certificateDaysLeft: certificateDaysLeft(client),
    weakness: [client.weakness, client.outlivesProof ? OUTLIVES_PROOF : ''].filter((one) => one !== '').join('; '),
    subscriptions: session === undefined ? 0 : client.core.router.countOf(session),
    queuedMessages: session === undefined ? 0 : waitingOf(session),
    inFlight: session?.inFlight ?? 0,
    unsentBytes: client.link.unsentBytes,
  };
}

function awayRowOf(core: Core, session: Session): ClientRow {
  return {
    connection: 0,
    state: 'away',
    clientId: session.clientId,
    identity: identityLabel(session.identity),
    roles: session.identity.roles,
    listener: '',
    address: '',
    port: 0,
    version: 0,
    keepAlive: 0,
    sessionExpiry: session.expirySeconds,
    sinceMs: session.endedAtMs,
    tls: '',
    tlsGroups: '',
    tlsResumed: false,
    certificateDaysLeft: null,
    weakness: '',
    subscriptions: core.router.countOf(session),
    queuedMessages: waitingOf(session),
    inFlight: 0,
    unsentBytes: 0,
  };
}

/** Whole days; null where no certificate proved the client. */
function certificateDaysLeft({ core, facts, proofEndsAtMs, session }: Client): number | null {
  const isProven = session?.identity.realm.startsWith('ca:') === true && facts.tls?.certificate !== undefined;
  return isProven && proofEndsAtMs > 0 ? Math.floor((proofEndsAtMs - core.nowMs) / DAY_MS) : null;
}

function waitingOf(session: Session): number {
  return session.stored ? session.owedMessages - session.inFlight : session.queue.size;
}
