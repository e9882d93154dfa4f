// How things are called: device names, host names, and where a certificate carries them.
// The profiles write these forms and the proof of identity reads them, so both sides share this file.

import { AuthorityFault } from './faults.ts';

const DEVICE_NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;
const HOST_LABEL = /^[A-Za-z0-9_]([A-Za-z0-9_-]{0,61}[A-Za-z0-9_])?$/;
const HOST_NAME_LENGTH_MAX = 253;

/** Who is named says so twice: as common name and, with what it is, in a URI. */
export const NAMED_URI_PREFIXES = {
  device: 'motte:device:',
  gateway: 'motte:gateway:',
  steward: 'motte:steward:',
  administrator: 'motte:administrator:',
} as const;

export type NamedProfile = keyof typeof NAMED_URI_PREFIXES;

/** Those that connect over MQTT: an administrator's certificate opens no listener. */
export const MQTT_PROFILES = ['device', 'gateway', 'steward'] as const satisfies readonly NamedProfile[];

export const DEVICE_URI_PREFIX = NAMED_URI_PREFIXES.device;
/** The one subject of server certificates; never read, since servers are known by their alternative names. */
export const SERVER_COMMON_NAME = 'Motte server';

/** The realm of what a CA proves: `ca:ID`. */
export function caRealm(id: string): string {
  return `ca:${id}`;
}

/** The realm of this installation's own CA; shown to people as the bare name. */
export const OWN_REALM = caRealm('motte');

/** Whether a text may name a device. */
export function isDeviceName(text: string): boolean {
  return DEVICE_NAME.test(text);
}

/** Returns the text if it may name a device; throws MOT-0433 otherwise. */
export function parseDeviceName(text: unknown): string {
  if (typeof text === 'string' && isDeviceName(text)) return text;
  const shown = typeof text === 'string' ? JSON.stringify(text.slice(0, 80)) : `a ${typeof text}`;
  throw new AuthorityFault('MOT-0433', `${shown} cannot name a device`);
}

/** The URI under which a device's certificate carries its name. */
export function deviceUri(name: string): string {
  return namedUri('device', name);
}

/** The URI under which a certificate of such a profile carries its name. */
export function namedUri(profile: NamedProfile, name: string): string {
  return NAMED_URI_PREFIXES[profile] + name;
}

/** Whether a text is one of the profiles that prove a name. */
export function isNamedProfile(text: string): text is NamedProfile {
  return Object.hasOwn(NAMED_URI_PREFIXES, text);
}

/**
 * The device, gateway or steward that a leaf certificate of our own CA names, or undefined if it is none of theirs.
 * Takes `subject` and `subjectAltName` as node:crypto's X509Certificate prints them. Our profiles have exactly
 * these two forms and nothing beside them, so they are compared whole and never taken apart.
 */
export function deviceNameOf(leaf: {
  readonly subject: string;
  readonly subjectAltName: string | undefined;
}): string | undefined {
  const name = leaf.subject.slice('CN='.length);
  if (!isDeviceName(name)) return undefined;
  if (leaf.subject !== `CN=${name}`) return undefined;
  return MQTT_PROFILES.some((profile) => leaf.subjectAltName === `URI:${namedUri(profile, name)}`) ? name : undefined;
}

/** Whether a text is a DNS host name without wildcard: labels of 1 to 63, 253 in all, not an address. */
export function isHostName(text: string): boolean {
  if (text.length === 0 || text.length > HOST_NAME_LENGTH_MAX) return false;
  const labels = text.split('.');
  // A last label of digits only would read as an IPv4 address.
  return labels.every((label) => HOST_LABEL.test(label)) && !/^[0-9]+$/.test(labels.at(-1) ?? '');
}

/** Whether a text is an IPv4 or IPv6 address in writing, without zone. */
export function isIpAddress(text: string): boolean {
  return isIpv4(text) || isIpv6(text);
}

function isIpv4(text: string): boolean {
  const parts = text.split('.');
  return parts.length === 4 && parts.every((part) => /^(0|[1-9][0-9]{0,2})$/.test(part) && Number(part) <= 255);
}

function isIpv6(text: string): boolean {
  if (text.length > 45 || !/^[0-9A-Fa-f:.]+$/.test(text)) return false;
  const halves = text.split('::');
  if (halves.length > 2) return false;
  let groups = 0;
  for (const [index, half] of halves.entries()) {
    if (half === '') continue;
    const parts = half.split(':');
    for (const [place, part] of parts.entries()) {
      const last = index === halves.length - 1 && place === parts.length - 1;
      if (last && part.includes('.')) {
        if (!isIpv4(part)) return false;
        groups += 2;
      } else {
        if (!/^[0-9A-Fa-f]{1,4}$/.test(part)) return false;
        groups += 1;
      }
    }
  }
  return halves.length === 2 ? groups < 8 : groups === 8 && text !== '';
}

/** A serial number as it is recorded and compared: lower-case hex without leading zeros. */
export function serialText(hex: string): string {
  return hex.toLowerCase().replace(/^0+(?=.)/, '');
}

/** A fingerprint for people: `AB:CD:…` from hex. */
export function groupFingerprint(hex: string): string {
  return hex.toUpperCase().replace(/..(?=.)/g, '$&:');
}
