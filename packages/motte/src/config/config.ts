// The configuration as one frozen value with a number: read, parsed, checked, filled with defaults. The file is its only
// source; without a file the defaults apply.

import { readFileSync } from 'node:fs';
import { dirname, resolve } from 'node:path';
import { MotteError } from '@motte/admin/errors';
import type { BrokerConfig, ListenerConfig } from '@motte/broker/ports/config';
import { said } from '../data/said.ts';
import { checkNode } from './check.ts';
import { parseYaml } from './document.ts';
import { type EnrolAddress, parseEnrolUrl } from './enrol-url.ts';
import { parseListenerUrl } from './listener-url.ts';
import { type Mistake, mistakeText } from './mistakes.ts';
import { parseOnRevoke } from './on-revoke.ts';
import { Places } from './places.ts';
import { checkRules } from './rules.ts';
import { type MotteYaml, SCHEMA } from './schema.ts';
import {
  type CertificateFiles,
  type ClientCaSettings,
  type ListenerSettings,
  type OcspSettings,
  type RevocationListSettings,
  type Settings,
  type TokenSettings,
  withDefaults,
} from './settings.ts';
import { exceededBound } from './yaml-bounds.ts';

export interface MotteConfig extends BrokerConfig {
  /** The file it came from; undefined when the defaults apply. */
  readonly file: string | undefined;
  readonly settings: Settings;
  /** Absolute path of the socket of an authority apart. */
  readonly authoritySocket: string | undefined;
  readonly console: { readonly port: number } | undefined;
  readonly enrol: (EnrolAddress & { readonly est: boolean }) | undefined;
  /** Absolute paths of a certificate of the operator's own. */
  readonly certificate: { readonly cert: string; readonly key: string } | undefined;
  /** Those beside it, paths absolute as well. */
  readonly certificates: readonly CertificateFiles[];
  /** With absolute paths, as are those of the issuers of tokens. */
  readonly clientAuthorities: readonly ClientCaSettings[];
  readonly tokens: readonly TokenSettings[];
  /** Likewise. */
  readonly revocation: Settings['revocation'] & {
    readonly lists: readonly RevocationListSettings[];
    readonly responders: readonly OcspSettings[];
  };
}

/** Where the file is looked for; `explicit` was named by --config and must exist. */
export interface ConfigSource {
  readonly path: string;
  readonly explicit: boolean;
}

/** MOT-0102 with the mistakes, each printed as FILE:LINE:COLUMN. */
export class ConfigRefused extends MotteError {
  readonly file: string;
  readonly mistakes: readonly Mistake[];
  /** `FILE:LINE:COLUMN: what: why`, one for each. */
  readonly lines: readonly string[];

  constructor(file: string, mistakes: readonly Mistake[]) {
    const lines = mistakes.map((mistake) => mistakeText(file, mistake));
    super('MOT-0102', lines.length === 1 ? (lines[0] ?? '') : `${lines.length} mistakes in ${file}`);
    this.file = file;
    this.mistakes = mistakes;
    this.lines = lines;
  }
}

/** Reads and checks the file; throws MotteError MOT-0101 or ConfigRefused. `number` tells reloads apart. */
export function loadConfig(source: ConfigSource, number = 1): MotteConfig {
  const text = readText(source);
  if (text === undefined) return makeConfig(parseText('{}', source.path), undefined, number);
  return makeConfig(parseText(text, source.path), source.path, number);
}

/** The file's text to settings; throws ConfigRefused. */
export function parseText(text: string, file: string): Settings {
  const exceeded = exceededBound(text, BOUNDS);
  if (exceeded !== undefined) {
    const at = new Places(text, file).at(exceeded.offset);
    throw new ConfigRefused(file, [{ ...at, what: '', why: exceeded.why }]);
  }
  const { document, mistakes } = parseYaml(text);
  if (mistakes.list.length === 0) {
    checkNode(SCHEMA, document.contents, [], mistakes);
    if (mistakes.list.length === 0) {
      const yaml = document.toJS({ maxAliasCount: 0 }) as MotteYaml;
      checkRules(yaml, mistakes);
      if (mistakes.list.length === 0) return withDefaults(yaml);
    }
  }
  throw new ConfigRefused(
    file,
    mistakes.list.sort((a, b) => a.line - b.line || a.column - b.column),
  );
}

function readText(source: ConfigSource): string | undefined {
  try {
    const text = readFileSync(source.path);
    if (text.length > FILE_BYTES_MAX) throw new MotteError('MOT-0101', `${source.path} is larger than 1 MiB`);
    return new TextDecoder('utf-8', { fatal: true }).decode(text);
  } catch (fault) {
    if (fault instanceof MotteError) throw fault;
    if (fault instanceof TypeError) throw new MotteError('MOT-0101', `${source.path} is not UTF-8 text`);
    const { code } = fault as NodeJS.ErrnoException;
    // A data directory that is no directory is told by whoever opens it.
    if ((code === 'ENOENT' || code === 'ENOTDIR') && !source.explicit) return undefined;
    throw new MotteError('MOT-0101', `${source.path}: ${said(fault)}`, { cause: fault });
  }
}

function makeConfig(settings: Settings, file: string | undefined, number: number): MotteConfig {
  const { cert, key } = settings.tls.certificate ?? {};
  const beside = (path: string) => resolve(dirname(resolve(file ?? '.')), path);
  const onRevoke = parseOnRevoke(settings.identity.onRevoke);
  return deepFreeze({
    number,
    file,
    settings,
    listeners: settings.listeners.map((listener) => listenerConfig(listener, settings.tls)),
    limits: settings.limits,
    admission: settings.admission,
    posture: postureOf(settings),
    store: settings.store,
    ...(typeof onRevoke === 'string' ? {} : { onRevoke }),
    authoritySocket: settings.pki.socket === undefined ? undefined : beside(settings.pki.socket),
    console: settings.console === 'off' ? undefined : { port: consolePort(settings.console.url) },
    clientAuthorities: settings.tls.clientCa.map((one) => ({ ...one, file: beside(one.file) })),
    tokens: settings.identity.tokens.map((source) => ({
      ...source,
      jwks: source.jwks.startsWith('https://') ? source.jwks : beside(source.jwks),
      ...(source.jwksCa === undefined ? {} : { jwksCa: beside(source.jwksCa) }),
    })),
    revocation: {
      ...settings.revocation,
      lists: settings.tls.crl.map((one) => withPaths(one, ['file', 'serverCa'], beside)),
      responders: settings.tls.ocsp.map((one) => withPaths(one, ['serverCa'], beside)),
    },
    enrol: settings.enrol === 'off' ? undefined : enrolConfig(settings.enrol),
    certificate: cert === undefined || key === undefined ? undefined : { cert: beside(cert), key: beside(key) },
    certificates: settings.tls.certificates.map((one) => ({ ...one, cert: beside(one.cert), key: beside(one.key) })),
  });
}

/** The same with the paths under these keys made absolute, where they are there. */
function withPaths<T extends object, K extends keyof T>(
  one: T,
  keys: readonly K[],
  beside: (path: string) => string,
): T {
  const paths = keys.flatMap((key) => (one[key] === undefined ? [] : [[key, beside(String(one[key]))]]));
  return { ...one, ...Object.fromEntries(paths) };
}

/** Undefined unless it demands something. */
function postureOf({ identity: { posture } }: Settings): Settings['identity']['posture'] | undefined {
  const { minTls, minKeyBits, minMqtt } = posture;
  return minTls === undefined && minKeyBits === undefined && minMqtt === undefined ? undefined : posture;
}

function listenerConfig(settings: ListenerSettings, tls: Settings['tls']): ListenerConfig {
  const address = parseListenerUrl(settings.url);
  if (typeof address === 'string') throw new Error(`unchecked url: ${address}`);
  return {
    name: settings.name,
    scheme: address.scheme,
    authentication: settings.authentication,
    role: settings.role,
    // Without authentication there is no name that a client identifier could belong to.
    clientIds: settings.authentication === 'none' ? 'any' : settings.clientIds,
    versions: settings.versions.map((version) => VERSIONS[version]),
    clientCa: settings.clientCa.map((id) => `ca:${id}`),
    certificateName: settings.identity,
    onExpiry: settings.onExpiry,
    url: settings.url,
    host: address.host,
    port: address.port,
    path: address.path,
    connectionsMax: settings.maxConnections,
    tlsMinVersion: tls.minVersion,
    ticketSeconds: tls.ticketSeconds,
    origins: settings.origins,
    ...(settings.alpn === undefined ? {} : { alpn: settings.alpn }),
  };
}

function enrolConfig({ url, est }: Exclude<Settings['enrol'], 'off'>): MotteConfig['enrol'] {
  const address = parseEnrolUrl(url);
  if (typeof address === 'string') throw new Error(`unchecked url: ${address}`);
  return { ...address, est: est === 'on' };
}

function consolePort(url: string): number {
  const port = /:([0-9]+)\/?$/.exec(url)?.[1];
  return port === undefined ? 443 : Number(port);
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const part of Object.values(value)) deepFreeze(part);
  }
  return value;
}

const VERSIONS = { '3.1': 3, '3.1.1': 4, '5.0': 5 } as const;
const FILE_BYTES_MAX = 1024 * 1024;
/** Some ten thousand settings. */
const BOUNDS = { lexemesMax: 100_000, keysMax: 1_000 };
