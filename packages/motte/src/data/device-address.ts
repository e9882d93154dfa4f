// Where devices with certificates reach the broker of a data directory.

import { hostname } from 'node:os';
import { MotteError, openAdmin } from '@motte/admin';
import { loadConfig } from '../config/config.ts';
import { type ListenerAddress, parseListenerUrl } from '../config/listener-url.ts';
import type { Context } from '../context.ts';

export interface DeviceAddress {
  readonly host: string;
  readonly port: number;
}

/**
 * Of `--url`, else of the first mqtts listener that takes certificates: of the running broker, or of the file. Where that
 * one listens everywhere it is this host's name, which the server certificate carries. Throws MOT-0002 where there is none.
 */
export async function deviceAddress(context: Context, given: string | undefined): Promise<DeviceAddress> {
  if (given !== undefined) {
    const address = parseListenerUrl(given);
    if (typeof address === 'string') throw new MotteError('MOT-0002', `--url ${given}: ${address}`);
    if (address.scheme !== 'mqtts') throw new MotteError('MOT-0002', `--url ${given}: must be mqtts://HOST:PORT`);
    return outside(address);
  }
  const listeners = (await runningListeners(context)) ?? loadConfig(context.config).listeners;
  for (const { url, authentication } of listeners) {
    if (authentication !== 'certificate' && authentication !== 'any') continue;
    const address = parseListenerUrl(url);
    if (typeof address !== 'string' && address.scheme === 'mqtts' && address.port !== 0) return outside(address);
  }
  throw new MotteError('MOT-0002', 'no listener with mqtts and a port takes certificates', {
    remedy: 'say where the device reaches the broker: --url mqtts://HOST:PORT',
  });
}

function outside({ host, port }: ListenerAddress): DeviceAddress {
  if (LOOPBACK.test(host)) return { host: 'localhost', port };
  return { host: EVERYWHERE.has(host) ? hostname() : host, port };
}

async function runningListeners(
  context: Context,
): Promise<readonly { readonly url: string; readonly authentication: string }[] | undefined> {
  try {
    return (await openAdmin(context.data).status()).listeners;
  } catch (fault) {
    if (fault instanceof MotteError && fault.code === 'MOT-0501') return undefined;
    throw fault;
  }
}

const EVERYWHERE: ReadonlySet<string> = new Set(['0.0.0.0', '::']);
const LOOPBACK = /^127\.|^::1$/;
