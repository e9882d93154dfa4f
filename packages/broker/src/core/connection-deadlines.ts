// What a connection must do in time, looked at a few times a second for all of them: one pass over ten thousand costs less
// than ten thousand timers. Deadlines belong to the server, never to the client (SlowITe: CVE-2020-13849).

import { PeerError } from '@motte/wire';
import { refuse } from '../ports/verdict.ts';
import type { Client } from './client.ts';
import { endClient } from './end-client.ts';

/** Ends the connection if a deadline has passed. */
export function checkDeadlines(client: Client): void {
  const { core } = client;
  if (client.state === 'connecting') {
    if (core.monotonicMs - client.heardAtMs > core.limits.connectDeadlineMs) {
      throw new PeerError('protocol-error', 'limits.connectDeadlineMs', 'no CONNECT came in time');
    }
    return;
  }
  if (client.state === 'proving') {
    const limit = client.challenge === undefined ? core.limits.authenticateDeadlineMs : core.limits.connectDeadlineMs;
    if (core.monotonicMs - client.provingSinceMs > limit) {
      throw new PeerError('server-unavailable', 'limits.authenticateDeadlineMs', 'the identity was not proven in time');
    }
  }
  const partialMs = client.partialSinceMs === 0 || !client.accepting ? 0 : core.monotonicMs - client.partialSinceMs;
  if (partialMs > core.limits.partialPacketDeadlineMs) {
    throw new PeerError(
      'protocol-error',
      'limits.partialPacketDeadlineMs',
      'a packet was begun and not finished in time',
    );
  }
  if (client.state !== 'open') return;
  // One that is slowed waits for time, not for a commit.
  if (client.held) client.readOn();
  // [MQTT-3.1.2-22]: one and a half times the keep-alive. Not while we are the ones who do not read.
  const silentMs = core.monotonicMs - client.heardAtMs;
  if (client.keepAliveSeconds > 0 && !client.held && silentMs > client.keepAliveSeconds * 1500) {
    endClient(client, { reason: 'keep-alive-timeout', byPeer: false, will: true });
    return;
  }
  if (client.proofEndsAtMs !== 0 && core.nowMs >= client.proofEndsAtMs) outlive(client);
}

/** What proved the client has ended: so does the connection, unless the listener's waiver lets it stay. */
function outlive(client: Client): void {
  const { core, facts } = client;
  if (facts.listener.onExpiry === 'warn') {
    if (client.outlivesProof) return;
    client.outlivesProof = true;
    core.reports.flagged(client, { because: OUTLIVES_PROOF, rule: RULE });
    return;
  }
  const because = 'the certificate or token that proved this client has expired';
  core.reports.refused(client, {
    layer: 'identity',
    ...refuse('not-authorized', because, RULE),
    seen: client.version === 5 ? 'DISCONNECT 0x87' : 'the connection closed',
  });
  endClient(client, { reason: 'not-authorized', byPeer: false, will: true, reasonString: because });
}

/** What is weak about a client that stays; for the operator. */
export const OUTLIVES_PROOF = 'the certificate or token that proved it has expired, and it stays connected';
const RULE = 'listeners.onExpiry';
