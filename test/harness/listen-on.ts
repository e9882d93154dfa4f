// The real broker behind a real listener, for tests whose subject is the way in. Loopback and free ports only.

import { createBroker, type ListenerConfig } from '@motte/broker';
import { onTestFinished } from 'vitest';
import { DEFAULT_LIMITS } from '../../packages/broker/src/ports/limits.ts';

/** Opens one listener without authentication and returns its address; the broker ends with the test. */
export async function listenOn(listener: Pick<ListenerConfig, 'scheme'> & Partial<ListenerConfig>): Promise<string> {
  const broker = createBroker({
    config: {
      number: 1,
      listeners: [{ ...LISTENER, url: `${listener.scheme}://127.0.0.1:0${listener.path ?? ''}`, ...listener }],
      limits: DEFAULT_LIMITS,
      admission: {
        handshakesAtOnceMax: 10,
        connectionsPerSourceMax: 10,
        waitingMax: 100,
        lagMsMax: 200,
        exempt: ['127.0.0.0/8'],
      },
      store: { kind: 'memory', lingerMs: 0 },
    },
    directory: {
      find: () => undefined,
      list: () => [],
      put: () => Promise.resolve(),
      remove: () => Promise.resolve(false),
    },
    trust: { number: 1, issuers: [] },
  });
  await broker.open();
  onTestFinished(() => broker.stop(0));
  return broker.listeners[0]?.url ?? '';
}

const LISTENER: Omit<ListenerConfig, 'scheme' | 'url'> = {
  name: 'test',
  host: '127.0.0.1',
  port: 0,
  path: '',
  authentication: 'none',
  role: 'lab',
  clientIds: 'any',
  versions: [3, 4, 5],
  connectionsMax: 100,
  origins: [],
};
