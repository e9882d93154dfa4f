// The broker's side of an enhanced authentication (3.15, 4.12): the AUTH packets it sends, before CONNACK and after it.

import { encode, reasonCode } from '@motte/wire';
import type { Challenge } from '../ports/guards.ts';
import type { Client } from './client.ts';

/** Sends the next AUTH of an exchange and waits for the client's answer [MQTT-4.12.0-2]. */
export function challengeClient(client: Client, challenge: Challenge): void {
  client.challenge = challenge;
  client.provingSinceMs = client.core.monotonicMs;
  client.link.write(encodeAuth(client, 'continue-authentication', challenge.data));
  client.link.resume();
}

/** The broker's own AUTH, with the method of CONNECT [MQTT-4.12.0-5]. */
export function encodeAuth(
  client: Client,
  reason: 'success' | 'continue-authentication',
  data: Uint8Array | undefined,
): Uint8Array {
  const properties = {
    ...(client.method === undefined ? {} : { authenticationMethod: client.method }),
    ...(data === undefined ? {} : { authenticationData: data }),
  };
  return encode({ type: 'auth', reasonCode: reasonCode(reason), properties }, 5);
}
