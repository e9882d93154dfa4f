// Under which names and addresses this host can be reached: what a server certificate must say.

import { readFileSync } from 'node:fs';
import { hostname, networkInterfaces } from 'node:os';
import { SERVER_NAMES_MAX } from './limits.ts';
import type { AlternativeName } from './profiles/profile.ts';
import { isHostName, isIpAddress } from './protocol/names.ts';

const LOOPBACK: readonly AlternativeName[] = [
  { type: 'dns', value: 'localhost' },
  { type: 'ip', value: '127.0.0.1' },
  { type: 'ip', value: '::1' },
];
/** Where Debian lists the host's own name. */
const OWN_NAME_ADDRESS = '127.0.1.1';
const HOSTS_FILE_CHARACTERS_MAX = 65_536;

/** localhost, 127.0.0.1, ::1, then every host name and interface address, sorted, at most 64 in all; never throws. */
export function serverNames(): AlternativeName[] {
  const addresses = interfaceAddresses();
  const names = [...hostNames(), ...hostsFileNames(readHostsFile(), new Set([OWN_NAME_ADDRESS, ...addresses]))];
  return mergeNames(names, addresses);
}

/** For serverNames and its tests: valid ones only, each once, in an order that depends on nothing else. */
export function mergeNames(names: readonly string[], addresses: readonly string[]): AlternativeName[] {
  const found = [
    ...[...new Set(names.map((name) => name.toLowerCase()))].filter(isHostName).sort().map(dns),
    ...[...new Set(addresses)].filter(isIpAddress).sort().map(ip),
  ];
  const fresh = found.filter((one) => !LOOPBACK.some(({ type, value }) => type === one.type && value === one.value));
  return [...LOOPBACK, ...fresh].slice(0, SERVER_NAMES_MAX);
}

/** The names a hosts file gives to any of `own` addresses. */
export function hostsFileNames(text: string, own: ReadonlySet<string>): string[] {
  return text.split('\n').flatMap((line) => {
    const [address, ...names] = (line.split('#')[0] ?? '').trim().split(/\s+/);
    return address !== undefined && own.has(address) ? names : [];
  });
}

function hostNames(): string[] {
  const name = hostname();
  return [name, name.split('.')[0] ?? name];
}

/** Without link-local IPv6 addresses: those mean nothing without an interface, which a certificate cannot say. */
function interfaceAddresses(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((addresses) => addresses ?? [])
    .map(({ address }) => address)
    .filter((address) => !/^fe[89ab]/i.test(address) && !address.startsWith('127.'));
}

function readHostsFile(): string {
  try {
    return readFileSync('/etc/hosts', 'utf8').slice(0, HOSTS_FILE_CHARACTERS_MAX);
  } catch {
    return '';
  }
}

function dns(value: string): AlternativeName {
  return { type: 'dns', value };
}

function ip(value: string): AlternativeName {
  return { type: 'ip', value };
}
