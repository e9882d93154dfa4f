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

/** What went wrong on the way, and what to do where it is not the broker who knows. */
export function connectionFault(url: string, fault: unknown): MotteError {
  const code = fault instanceof MqttError ? undefined : (fault as NodeJS.ErrnoException).code;
  const known = NOT_THE_BROKER.get(code ?? '');
  const why = known?.why ?? failureText(fault);
  return new MotteError('MOT-0702', `${url}: ${why}`, {
    ...(known === undefined ? {} : { remedy: known.remedy }),
    cause: fault,
  });
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

const UNTRUSTED = {
  why: 'the certificate that it shows is of no CA that is trusted here',
  remedy: 'say who connects, with --as NAME for the files of `motte device add NAME`, or name its CA with --ca',
};

/** Faults on this side of the connection, by the codes of Node: `motte why` cannot tell of them. */
const NOT_THE_BROKER: ReadonlyMap<string, { readonly why: string; readonly remedy: string }> = new Map([
  [
    'ECONNREFUSED',
    { why: 'nothing listens there', remedy: 'start the broker with `motte start`, or say where it is with --url' },
  ],
  ['UNABLE_TO_GET_ISSUER_CERT_LOCALLY', UNTRUSTED],
  ['UNABLE_TO_VERIFY_LEAF_SIGNATURE', UNTRUSTED],
  ['SELF_SIGNED_CERT_IN_CHAIN', UNTRUSTED],
  ['DEPTH_ZERO_SELF_SIGNED_CERT', UNTRUSTED],
]);

const VERSIONS = { '3.1': 3, '3.1.1': 4, '5.0': 5 } as const;
