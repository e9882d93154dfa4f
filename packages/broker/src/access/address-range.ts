// Addresses and ranges of them, as a rule's `from` names them. Strict: nothing that one reader takes for another address
// than the next, such as 010.0.0.1 or 0x7f.1.

import { isIPv4, isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';

export interface AddressRange {
  /** As it was written. */
  readonly text: string;
  /** Of 32 bits each: one of an IPv4 network, four of an IPv6 one. A policy may hold thousands, and be asked about all of them. */
  readonly network: readonly number[];
  /** What counts of each. */
  readonly masks: readonly number[];
}

/** An address or CIDR; or, if it is neither, the sentence that says why. */
export function parseAddressRange(text: string): AddressRange | string {
  const slash = text.indexOf('/');
  const address = slash === -1 ? text : text.slice(0, slash);
  const network = parseAddress(address);
  if (network === undefined) return `"${address}" is not an IP address`;
  const width = network.kind() === 'ipv4' ? 32 : 128;
  if (slash === -1) return rangeOf(text, network.toByteArray(), width);
  const suffix = text.slice(slash + 1);
  const bits = /^\d{1,3}$/.test(suffix) ? Number(suffix) : Number.NaN;
  if (!(bits <= width)) return `"/${suffix}" is not a prefix length from /0 to /${width}`;
  const bytes = network.toByteArray();
  for (let bit = bits; bit < width; bit++) {
    if (((bytes[bit >> 3] as number) & (0x80 >> (bit & 7))) !== 0) {
      return `${text} has bits set behind its prefix; write ${maskedText(bytes, bits)}/${bits}`;
    }
  }
  return rangeOf(text, bytes, bits);
}

/** True if the address, as sockets report it, lies in the range; an IPv4 address in IPv6 clothes counts as IPv4. */
export function isWithin(range: AddressRange, address: string): boolean {
  if (recent.text !== address) recent = { text: address, words: wordsOf(parseAddress(address)?.toByteArray() ?? []) };
  const { words } = recent;
  const { network, masks } = range;
  if (words.length !== network.length) return false;
  for (let i = 0; i < words.length; i++) {
    if ((((words[i] as number) ^ (network[i] as number)) & (masks[i] as number)) !== 0) return false;
  }
  return true;
}

/** All rules of a policy are asked about the same address one after the other, and there may be thousands. */
let recent: { readonly text: string; readonly words: readonly number[] } = { text: '', words: [] };

function rangeOf(text: string, bytes: readonly number[], bits: number): AddressRange {
  const network = wordsOf(bytes);
  return { text, network, masks: network.map((_, i) => maskOf(bits - 32 * i)) };
}

function wordsOf(bytes: readonly number[]): number[] {
  const words: number[] = [];
  for (const [i, byte] of bytes.entries()) words[i >> 2] = ((words[i >> 2] ?? 0) << 8) | byte;
  return words;
}

/** Of one word. A shift by 32 would be one by none. */
function maskOf(bits: number): number {
  if (bits <= 0) return 0;
  return bits >= 32 ? -1 : ~(-1 >>> bits);
}

function parseAddress(text: string): ipaddr.IPv4 | ipaddr.IPv6 | undefined {
  if (isIPv4(text)) return ipaddr.IPv4.parse(text);
  if (!isIPv6(text)) return undefined;
  const address = ipaddr.IPv6.parse(text);
  return address.isIPv4MappedAddress() ? address.toIPv4Address() : address;
}

function maskedText(bytes: readonly number[], bits: number): string {
  const masked = bytes.map((byte, i) => byte & (0xff00 >> Math.min(8, Math.max(0, bits - 8 * i))) & 0xff);
  return ipaddr.fromByteArray(masked).toString();
}
