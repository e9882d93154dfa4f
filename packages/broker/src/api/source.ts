// Who shares rates and connections of an HTTP listener: one IPv4 address, one IPv6 network of a host, or the local socket.

import ipaddr from 'ipaddr.js';

/** The source of an address as Node gives it; empty for a socket without one. */
export function sourceOf(address: string): string {
  if (!ipaddr.isValid(address)) return address;
  const parsed = ipaddr.process(address);
  if (parsed.kind() === 'ipv4') return parsed.toString();
  return ipaddr.IPv6.networkAddressFromCIDR(`${parsed.toString().replace(/%.*$/, '')}/${HOST_BITS}`).toString();
}

const HOST_BITS = 64;
