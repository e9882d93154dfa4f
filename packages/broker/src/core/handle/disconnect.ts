// DISCONNECT from the client (3.14): the will is dropped unless it asks for it, the session may be told to end sooner.

import { type Disconnect, PeerError, reasonCode, reasonOf } from '@motte/wire';
import type { Client } from '../client.ts';
import { endClient } from '../end-client.ts';

const NORMAL = reasonCode('normal-disconnection');

export function receiveDisconnect(client: Client, packet: Disconnect): void {
  const { core, session } = client;
  const expiry = packet.properties.sessionExpiryInterval;
  if (expiry !== undefined && session !== undefined) {
    // 3.14.2.2.2: a session that was to end with its connection cannot be kept after all.
    if (session.expirySeconds === 0 && expiry !== 0) {
      throw new PeerError('protocol-error', '3.14.2.2.2', 'Session Expiry Interval raised from 0 by DISCONNECT');
    }
    session.expirySeconds = Math.min(expiry, core.limits.sessionExpirySecondsMax);
  }
  const reason = reasonOf('disconnect', packet.reasonCode) ?? 'normal-disconnection';
  endClient(client, { reason, byPeer: true, will: packet.reasonCode !== NORMAL });
}
