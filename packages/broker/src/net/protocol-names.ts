// ALPN (RFC 7301): which protocol name a listener answers with. A client that names none is served like any other; one that
// names only protocols that are not spoken here is turned away, so that nobody can pass a client of something else on to us.

import type { ListenerConfig } from '../ports/config.ts';

/** The names that a listener answers to, the preferred one first. */
export function protocolNames({ scheme, alpn }: Pick<ListenerConfig, 'scheme' | 'alpn'>): readonly string[] {
  // A WebSocket begins with a request of HTTP/1.1; what it carries is agreed on there.
  if (scheme === 'wss') return ['http/1.1'];
  return alpn === undefined ? ['mqtt'] : ['mqtt', alpn];
}

/** The name to answer with; undefined = none of what is offered, which ends the handshake. */
export function chooseProtocol(offered: readonly string[], spoken: readonly string[]): string | undefined {
  return spoken.find((name) => offered.includes(name));
}
