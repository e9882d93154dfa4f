// How `motte pub` and `motte sub` reach a broker: which url, whose certificate.

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { openAdmin } from '@motte/admin';
import { MotteError } from '@motte/admin/errors';
import {
  type ClientOptions,
  connectClient,
  type MqttClient,
  MqttError,
  type OpenTransport,
  tcpTransport,
  tlsTransport,
  unixTransport,
  webSocketTransport,
} from '@motte/client';
import { type Options, textOption } from '../command.ts';
import { parseListenerUrl } from '../config/listener-url.ts';
import type { Context } from '../context.ts';
import { said } from '../data/said.ts';
import { failureText } from './failure-text.ts';

/** Connects as the options say; throws MOT-0702 with the broker's reason. */
export async function connectAs(
  context: Context,
  options: Options,
  extra: Pick<ClientOptions, 'onMessage'> = {},
): Promise<MqttClient> {
  if (options['seal'] === true) throw new MotteError('MOT-0003', '--seal');
  const url = textOption(options, 'url') ?? (await runningUrl(context));
  const name = textOption(options, 'as');
  const version = VERSIONS[textOption(options, 'protocol') as keyof typeof VERSIONS] ?? 5;
  // MQTT 3.1 has no empty client id.
  const clientId = textOption(options, 'id') ?? (version === 3 ? `${name ?? 'motte'}` : '');
  try {
    return await connectClient({ transport: transportTo(url, options, name), version, clientId, ...extra });
  } catch (fault) {
    if (fault instanceof MotteError) throw fault;
    throw connectionFault(url, fault);
  }
}

/** The QoS that was asked for. */
export function qosOf(options: Options): 0 | 1 | 2 {
  return Number(options['qos'] ?? 0) as 0 | 1 | 2;
}

/** What went wrong on the way, as one line. */
export function connectionFault(url: string, fault: unknown): MotteError {
  const message = failureText(fault);
  const { code } = fault as NodeJS.ErrnoException;
  const why = !(fault instanceof MqttError) && code === 'ECONNREFUSED' ? 'nothing listens there' : message;
  return new MotteError('MOT-0702', `${url}: ${why}`, { cause: fault });
}

function transportTo(url: string, options: Options, name: string | undefined): OpenTransport {
  const address = parseListenerUrl(url);
  if (typeof address === 'string') throw new MotteError('MOT-0002', `--url ${url}: ${address}`);
  const { scheme, port, path } = address;
  const host = address.host === '0.0.0.0' ? '127.0.0.1' : address.host === '::' ? '::1' : address.host;
  if (scheme === 'mqtt+unix') return unixTransport(path);
  if (scheme === 'mqtt') return tcpTransport({ host, port });
  const shown = host.includes(':') ? `[${host}]` : host;
  if (scheme === 'ws') return webSocketTransport({ url: `ws://${shown}:${port}${path}` });
  const pem = readPem(options, name);
  return scheme === 'wss'
    ? webSocketTransport({ url: `wss://${shown}:${port}${path}`, ...pem })
    : tlsTransport({ host, port, ...pem });
}

function readPem(options: Options, name: string | undefined): { ca?: string; cert?: string; key?: string } {
  const directory = textOption(options, 'dir') ?? name;
  const beside = (file: string) => (name === undefined || directory === undefined ? undefined : join(directory, file));
  const found = (option: string, file: string) => {
    const path = textOption(options, option) ?? beside(file);
    return path === undefined ? {} : { [option]: readText(path) };
  };
  return { ...found('ca', 'ca.crt'), ...found('cert', `${name}.crt`), ...found('key', `${name}.key`) };
}

function readText(path: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (fault) {
    throw new MotteError('MOT-0403', `${path}: ${said(fault)}`, {
      remedy: '`motte device add NAME` writes the files that --as NAME reads from ./NAME',
      cause: fault,
    });
  }
}

/** The first TLS listener of the broker on this data directory. */
async function runningUrl(context: Context): Promise<string> {
  const status = await openAdmin(context.data)
    .status()
    .catch(() => undefined);
  const open = status?.listeners.filter(({ state }) => state === 'open') ?? [];
  return (open.find(({ url }) => url.startsWith('mqtts:')) ?? open[0])?.url ?? 'mqtts://localhost:8883';
}

const VERSIONS = { '3.1': 3, '3.1.1': 4, '5.0': 5 } as const;
