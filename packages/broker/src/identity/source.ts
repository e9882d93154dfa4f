// Who shares a queue and a count of wrong passwords: one IPv4 address, one IPv6 network of a host, or the local socket.

import ipaddr from 'ipaddr.js';

/** The source of an address as admission saw it; one IPv6 host has a whole /64 to call from. */
export function sourceOf(address: string): string {
  if (!ipaddr.isValid(address)) return address;
  const parsed = ipaddr.process(address);
  if (parsed.kind() === 'ipv4') return parsed.toString();
  return ipaddr.IPv6.networkAddressFromCIDR(`${parsed.toString().replace(/%.*$/, '')}/${HOST_BITS}`).toString();
}

const HOST_BITS = 64;
