// The real broker behind a real listener, for tests whose subject is the way in. Loopback and free ports only.

import { createBroker, type ListenerConfig } from '@motte/broker';
import { onTestFinished } from 'vitest';
import { ANONYMOUS, bareConfig, NO_TRUST, NOBODY } from './bare-config.ts';

/** Opens one listener without authentication and returns its address; the broker ends with the test. */
export async function listenOn(listener: Pick<ListenerConfig, 'scheme'> & Partial<ListenerConfig>): Promise<string> {
  const url = `${listener.scheme}://127.0.0.1:0${listener.path ?? ''}`;
  const broker = createBroker({
    config: bareConfig([{ ...ANONYMOUS, ...LOOPBACK, url, ...listener }]),
    directory: NOBODY,
    trust: NO_TRUST,
  });
  await broker.open();
  onTestFinished(() => broker.stop(0));
  return broker.listeners[0]?.url ?? '';
}

const LOOPBACK = { host: '127.0.0.1', port: 0, path: '', connectionsMax: 100, origins: [] };
