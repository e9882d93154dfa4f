// enrol.url taken apart, and the address under which a device reaches it.

import { hostname, networkInterfaces } from 'node:os';
import { parseListenerUrl } from './listener-url.ts';

export interface EnrolAddress {
  readonly host: string;
  readonly port: number;
}

/** Host and port, or one phrase of what is wrong. */
export function parseEnrolUrl(url: string): EnrolAddress | string {
  const [, rest] = /^https:\/\/([^/]*)\/?$/.exec(url) ?? [];
  if (rest === undefined) return 'must be https://ADDRESS:PORT';
  // The same addresses as a listener may have; only scheme and default port are others.
  const address = parseListenerUrl(`mqtts://${rest}`);
  if (typeof address === 'string') return address.replace('mqtts://[::]:8883', 'https://[::]:8446');
  return { host: address.host, port: /:[0-9]+$/.test(rest) ? address.port : PORT_DEFAULT };
}

/** The URL for devices: where it listens everywhere, this host's first address that is not loopback. */
export function deviceUrl({ host, port }: EnrolAddress): string {
  const name = EVERYWHERE.has(host) ? ownAddress() : host;
  return `https://${name.includes(':') ? `[${name}]` : name}:${port}`;
}

function ownAddress(): string {
  const addresses = Object.values(networkInterfaces()).flatMap((list) => list ?? []);
  const outside = addresses.find(({ internal, family }) => !internal && family === 'IPv4');
  return outside?.address ?? hostname();
}

const EVERYWHERE: ReadonlySet<string> = new Set(['0.0.0.0', '::']);
const PORT_DEFAULT = 443;
