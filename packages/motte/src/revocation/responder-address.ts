// Where a certificate's status is asked for: the address of the configuration, or the one that the certificate names if its host is
// listed. A certificate chooses among what is allowed and nothing else.

import { X509Certificate } from 'node:crypto';
import type { OcspSettings } from '../config/settings.ts';

/** Undefined if there is nobody who may be asked. */
export function responderAddress({ url, hosts = [] }: OcspSettings, certificate: Uint8Array): string | undefined {
  if (url !== undefined) return url;
  return namedResponders(new X509Certificate(certificate)).find((text) => isAllowed(text, hosts));
}

/** The responders that a certificate names, as they are written there. */
export function namedResponders({ infoAccess = '' }: X509Certificate): string[] {
  const lines = infoAccess.split('\n').filter((line) => line.startsWith(OCSP));
  return lines.map((line) => unquoted(line.slice(OCSP.length)));
}

function isAllowed(text: string, hosts: readonly string[]): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, host, username, password, href } = new URL(text);
  if (protocol !== 'http:' && protocol !== 'https:') return false;
  // Only what was understood as it is written: nothing that a parser had to make sense of.
  if (username !== '' || password !== '' || (href !== text && href !== `${text}/`)) return false;
  return hosts.some((one) => one.toLowerCase() === host);
}

/** node:crypto puts an address with anything special in it in quotes, as JSON. */
function unquoted(value: string): string {
  if (!value.startsWith('"')) return value;
  try {
    return String(JSON.parse(value));
  } catch {
    return '';
  }
}

const OCSP = 'OCSP - URI:';
