// What a broker of a test is made with where its subject is another: room for everybody, nobody registered, nobody trusted, and
// whoever comes is anonymous.

import type { BrokerConfig, ListenerConfig } from '@motte/broker';
import type { TrustFacts } from '../../packages/broker/src/identity/guards.ts';
import type { ListenerFacts } from '../../packages/broker/src/ports/connection-facts.ts';
import type { IdentityDirectory } from '../../packages/broker/src/ports/directory.ts';
import { DEFAULT_LIMITS, type Limits } from '../../packages/broker/src/ports/limits.ts';

export const ANONYMOUS: ListenerFacts = {
  name: 'test',
  scheme: 'mqtt',
  authentication: 'none',
  role: 'lab',
  clientIds: 'any',
  versions: [3, 4, 5],
};

export const NOBODY: IdentityDirectory = {
  find: () => undefined,
  list: () => [],
  put: () => Promise.resolve(),
  remove: () => Promise.resolve(false),
};

export const NO_TRUST: TrustFacts = { number: 1, issuers: [] };

export function bareConfig(listeners: readonly ListenerConfig[] = [], limits: Limits = DEFAULT_LIMITS): BrokerConfig {
  return {
    number: 1,
    listeners,
    limits,
    admission: { handshakesAtOnceMax: 100, connectionsPerSourceMax: 1000, waitingMax: 100, lagMsMax: 200, exempt: [] },
    store: { kind: 'memory', lingerMs: 0 },
  };
}

/** Never opened: who is anonymous on it is known after a restart. */
export function unopened(listener: ListenerFacts): ListenerConfig {
  return { ...listener, url: `mqtt://${listener.name}`, host: '', port: 0, path: '', connectionsMax: 0, origins: [] };
}
