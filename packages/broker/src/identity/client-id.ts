// Which client identifiers an identity may use. One device may be several clients: NAME or NAME/anything.

import type { ListenerFacts } from '../ports/connection-facts.ts';
import type { Identity } from '../ports/identity.ts';
import { ALLOW, refuse, type Verdict } from '../ports/verdict.ts';

/** Allows the empty client identifier too: the core assigns NAME/random to it [MQTT-3.1.3-6]. */
export function checkClientId(
  clientId: string,
  identity: Pick<Identity, 'name' | 'kind'>,
  listener: Pick<ListenerFacts, 'clientIds'>,
): Verdict {
  if (clientId === '' || listener.clientIds === 'any' || identity.kind === 'anonymous') return ALLOW;
  const { name } = identity;
  if (clientId === name || clientId.startsWith(`${name}/`)) return ALLOW;
  const because = `${name} may be the client ${name} or ${name}/anything, not ${printable(clientId)}`;
  return refuse('client-identifier-not-valid', because, 'listeners.clientIds');
}

function printable(clientId: string): string {
  return JSON.stringify(clientId.length > SHOWN_LENGTH ? `${clientId.slice(0, SHOWN_LENGTH)}…` : clientId);
}

const SHOWN_LENGTH = 80;
