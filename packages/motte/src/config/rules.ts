// What the schema cannot say: keys that depend on one another, and the waivers that weaker settings need.

import { parseEnrolUrl } from './enrol-url.ts';
import { parseListenerUrl } from './listener-url.ts';
import type { Mistakes } from './mistakes.ts';
import { parseOnRevoke } from './on-revoke.ts';
import { checkRevocation } from './revocation-rules.ts';
import type { MotteYaml } from './schema.ts';
import { type Listener, PLAIN_SCHEMES } from './sections/listeners.ts';
import { WAIVER_KEYS, type Waiver } from './sections/waivers.ts';

/** Adds the mistakes of a file whose every key fits its schema. */
export function checkRules(yaml: MotteYaml, mistakes: Mistakes): void {
  const names = new Set<string>();
  const addresses = new Map<string, string>();
  for (const [index, listener] of (yaml.listeners ?? []).entries()) {
    if (names.has(listener.name))
      mistakes.add(['listeners', index, 'name'], `${listener.name} is taken: a name is unique`);
    names.add(listener.name);
    checkListener(listener, index, addresses, mistakes);
  }
  if (typeof yaml.console === 'object') {
    const port = /:([0-9]+)\/?$/.exec(yaml.console.url)?.[1];
    if (port !== undefined && Number(port) > 65_535)
      mistakes.add(['console', 'url'], `${port} is not a port: 0 to 65535`);
  }
  if (typeof yaml.enrol === 'object') {
    const address = parseEnrolUrl(yaml.enrol.url);
    if (typeof address === 'string') mistakes.add(['enrol', 'url'], address);
  }
  for (const [index, network] of (yaml.admission?.exempt ?? []).entries()) {
    if (!isNetwork(network))
      mistakes.add(['admission', 'exempt', index], 'must be an address or a network such as 10.1.0.0/16');
  }
  checkTokens(yaml, mistakes);
  const onRevoke = parseOnRevoke(yaml.identity?.onRevoke);
  if (typeof onRevoke === 'string') mistakes.add(['identity', 'onRevoke'], onRevoke);
  checkAuthorities(yaml, mistakes);
  checkRevocation(yaml, mistakes);
  for (const key of WAIVER_KEYS) checkWaiver(yaml.waivers?.[key], ['waivers', key], mistakes);
}

function checkAuthorities(yaml: MotteYaml, mistakes: Mistakes): void {
  const ids = new Set<string>(['motte']);
  for (const [index, { id, names, roles }] of (yaml.tls?.clientCa ?? []).entries()) {
    const at = (key: string) => ['tls', 'clientCa', index, key] as const;
    if (id === 'motte') mistakes.add(at('id'), 'motte is the authority of this broker itself: choose another name');
    else if (ids.has(id)) mistakes.add(at('id'), `${id} is taken: its realm is one`);
    ids.add(id);
    if (names?.length === 0) mistakes.add(at('names'), 'needs at least one; leave it out for any name');
    if (roles?.length === 0) mistakes.add(at('roles'), 'needs at least one; leave it out for registered devices alone');
  }
  for (const [index, listener] of (yaml.listeners ?? []).entries()) {
    const at = (key: string) => ['listeners', index, key] as const;
    const { authentication = 'certificate', clientCa } = listener;
    for (const key of ['clientCa', 'identity'] as const) {
      if (listener[key] === undefined || authentication === 'certificate' || authentication === 'any') continue;
      mistakes.add(at(key), `is about certificates, and this listener takes none: authentication is ${authentication}`);
    }
    if (clientCa?.length === 0) mistakes.add(at('clientCa'), 'needs at least one');
    for (const [place, id] of (clientCa ?? []).entries()) {
      if (!ids.has(id)) mistakes.add(['listeners', index, 'clientCa', place], `there is no ${id} in tls.clientCa`);
    }
  }
}

function checkTokens(yaml: MotteYaml, mistakes: Mistakes): void {
  const issuers = new Set<string>();
  const tokens = yaml.identity?.tokens ?? [];
  for (const [index, { issuer, algorithms, jwks, jwksCa }] of tokens.entries()) {
    const at = (key: string) => ['identity', 'tokens', index, key] as const;
    if (issuers.has(issuer)) mistakes.add(at('issuer'), `${issuer} stands here twice: its realm is one`);
    issuers.add(issuer);
    if (algorithms?.length === 0) mistakes.add(at('algorithms'), 'needs at least one');
    if (jwksCa !== undefined && !jwks.startsWith('https://'))
      mistakes.add(at('jwksCa'), 'is for a jwks over https alone');
  }
}

function checkListener(listener: Listener, index: number, addresses: Map<string, string>, mistakes: Mistakes): void {
  const at = (key: string) => ['listeners', index, key] as const;
  const address = parseListenerUrl(listener.url);
  if (typeof address === 'string') return mistakes.add(at('url'), address);
  const { scheme, host, port, path } = address;
  const key = scheme === 'mqtt+unix' ? path : `${host}:${port}`;
  const other = port === 0 && scheme !== 'mqtt+unix' ? undefined : addresses.get(key);
  if (other !== undefined) mistakes.add(at('url'), `${key} is taken by listener ${other}`);
  addresses.set(key, listener.name);
  const plain = PLAIN_SCHEMES.has(scheme);
  const authentication: string = listener.authentication ?? 'certificate';
  if (authentication === 'psk' && scheme === 'wss') {
    return mistakes.add(at('url'), 'browsers have no pre-shared keys: use mqtts');
  }
  if (plain && (authentication === 'certificate' || authentication === 'psk')) {
    return mistakes.add(
      at('url'),
      `${scheme} has no TLS, so no ${authentication === 'psk' ? 'pre-shared keys' : 'certificates'}: use mqtts or wss, or authentication: none and a waiver`,
    );
  }
  // A Unix socket's bytes do not leave the host.
  if (plain && scheme !== 'mqtt+unix' && READABLE.has(authentication)) {
    return mistakes.add(
      at('url'),
      `${scheme} would send every ${READABLE.get(authentication)} in the clear: use mqtts or wss`,
    );
  }
  if (listener.waiver === undefined) {
    const need = (name: string, what: string) =>
      mistakes.add(at(name), `${what} and needs a waiver: { reason, owner, until } in this listener`);
    if (authentication === 'none') need('authentication', 'none lets in everyone who reaches the port');
    else if (plain) need('url', `${scheme} is not encrypted`);
    else if (listener.role !== undefined) need('role', 'a role for everyone on a listener is weaker than the default');
    else if (listener.onExpiry === 'warn') need('onExpiry', 'warn keeps clients whose proof has ended');
  }
  if (listener.onExpiry !== undefined && !ENDING.has(authentication)) {
    const why = `is about certificates and tokens, and this listener takes neither: authentication is ${authentication}`;
    mistakes.add(at('onExpiry'), why);
  }
  if ((listener.origins?.length ?? 0) > 0 && scheme !== 'wss' && scheme !== 'ws') {
    mistakes.add(at('origins'), 'only WebSocket listeners, wss and ws, have origins');
  }
  if (listener.alpn !== undefined && scheme !== 'mqtts') {
    mistakes.add(at('alpn'), 'only mqtts listeners answer to a protocol name; a WebSocket is asked for with http/1.1');
  }
  if (listener.versions?.length === 0) mistakes.add(at('versions'), 'needs at least one version');
  checkWaiver(listener.waiver, ['listeners', index, 'waiver'], mistakes);
}

function checkWaiver(waiver: Waiver | undefined, path: readonly (string | number)[], mistakes: Mistakes): void {
  if (typeof waiver === 'string' && waiver.trim() === '') mistakes.add(path, 'needs a reason');
  if (typeof waiver !== 'object' || waiver.until === undefined) return;
  const day = new Date(`${waiver.until}T00:00:00Z`);
  if (Number.isNaN(day.getTime()) || day.toISOString().slice(0, 10) !== waiver.until) {
    mistakes.add([...path, 'until'], `${waiver.until} is not a day of the calendar: YYYY-MM-DD`);
  }
}

/** An address, or an address and a prefix length that fits it. */
function isNetwork(text: string): boolean {
  const [address = '', bits] = text.split('/');
  const four = /^(?:(?:0|[1-9][0-9]{0,2})\.){3}(?:0|[1-9][0-9]{0,2})$/.test(address);
  const fits = four ? address.split('.').every((part) => Number(part) <= 255) : isIpv6(address);
  return fits && (bits === undefined || Number(bits) <= (four ? 32 : 128));
}

function isIpv6(address: string): boolean {
  return address.includes(':') && URL.canParse(`http://[${address}]/`);
}

/** Proofs that come to an end by themselves. */
const ENDING: ReadonlySet<string> = new Set(['certificate', 'token', 'any']);

/** Proofs that whoever reads them may use again; `scram` shows none. */
const READABLE: ReadonlyMap<string, string> = new Map([
  ['password', 'password'],
  ['token', 'token'],
  ['any', 'password and token'],
]);
