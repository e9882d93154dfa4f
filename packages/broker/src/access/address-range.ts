// Addresses and ranges of them, as a rule's `from` names them. Strict: nothing that one reader takes for another address
// than the next, such as 010.0.0.1 or 0x7f.1.

import { isIPv4, isIPv6 } from 'node:net';
import ipaddr from 'ipaddr.js';

export interface AddressRange {
  /** As it was written. */
  readonly text: string;
  readonly network: ipaddr.IPv4 | ipaddr.IPv6;
  readonly bits: number;
}

/** An address or CIDR; or, if it is neither, the sentence that says why. */
export function parseAddressRange(text: string): AddressRange | string {
  const slash = text.indexOf('/');
  const address = slash === -1 ? text : text.slice(0, slash);
  const network = parseAddress(address);
  if (network === undefined) return `"${address}" is not an IP address`;
  const width = network.kind() === 'ipv4' ? 32 : 128;
  if (slash === -1) return { text, network, bits: width };
  const suffix = text.slice(slash + 1);
  const bits = /^\d{1,3}$/.test(suffix) ? Number(suffix) : Number.NaN;
  if (!(bits <= width)) return `"/${suffix}" is not a prefix length from /0 to /${width}`;
  const bytes = network.toByteArray();
  for (let bit = bits; bit < width; bit++) {
    if (((bytes[bit >> 3] as number) & (0x80 >> (bit & 7))) !== 0) {
      return `${text} has bits set behind its prefix; write ${maskedText(bytes, bits)}/${bits}`;
    }
  }
  return { text, network, bits };
}

/** True if the address, as sockets report it, lies in the range; an IPv4 address in IPv6 clothes counts as IPv4. */
export function isWithin(range: AddressRange, address: string): boolean {
  if (recent.text !== address) recent = { text: address, parsed: parseAddress(address) };
  const { parsed } = recent;
  if (parsed === undefined || parsed.kind() !== range.network.kind()) return false;
  return parsed.match(range.network as ipaddr.IPv4 & ipaddr.IPv6, range.bits);
}

/** All rules of a policy are asked about the same address one after the other, and there may be thousands. */
let recent: { readonly text: string; readonly parsed: ReturnType<typeof parseAddress> } = {
  text: '',
  parsed: undefined,
};

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
