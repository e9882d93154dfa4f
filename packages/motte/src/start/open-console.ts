// The console's listener as start-up opens it: on loopback only, and a port that is taken is said by its address.

import { MotteError } from '@motte/admin';
import { type Served, serveConsole } from '@motte/broker/api';
import type { AdminView } from '@motte/broker/ports/admin-view';
import type { MotteConfig } from '../config/config.ts';
import type { Material } from './material.ts';

/** Undefined where the configuration has none; throws MOT-0302. */
export async function openConsole(
  view: AdminView,
  config: MotteConfig,
  material: Material,
  onFault: (fault: Error) => void,
): Promise<Served | undefined> {
  if (config.console === undefined) return undefined;
  const { port } = config.console;
  try {
    return await serveConsole(view, { hosts: ['127.0.0.1', '::1'], port, tls: material.own, onFault });
  } catch (fault) {
    const { code, message } = fault as NodeJS.ErrnoException;
    const why = code === 'EADDRINUSE' ? 'another program listens on this port' : message;
    throw new MotteError('MOT-0302', `https://localhost:${port}: ${why}`, { cause: fault });
  }
}
