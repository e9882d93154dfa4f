// A listener's url taken apart.

import { isIP } from 'node:net';

export interface ListenerAddress {
  readonly scheme: 'mqtts' | 'wss' | 'mqtt' | 'ws' | 'mqtt+unix';
  readonly host: string;
  readonly port: number;
  /** WebSocket path, or the path of a Unix socket. */
  readonly path: string;
}

/** The parts, or one phrase of what is wrong. */
export function parseListenerUrl(url: string): ListenerAddress | string {
  const [, scheme, rest] = /^(mqtts|wss|mqtt|ws|mqtt\+unix):\/\/(.*)$/.exec(url) ?? [];
  if (scheme === undefined || rest === undefined) return 'must start with mqtts, wss, mqtt, ws or mqtt+unix';
  if (scheme === 'mqtt+unix') return { scheme, host: '', port: 0, path: rest };
  const [, host = '', digits, path = ''] = /^(\[[^\]]*\]|[^:/]*)(?::([0-9]+))?(\/.*)?$/.exec(rest) ?? [];
  const bare = host.startsWith('[') ? host.slice(1, -1) : host;
  if (host.startsWith('[') ? isIP(bare) !== 6 : !/^[A-Za-z0-9._-]+$/.test(bare)) {
    return 'needs an address or a host name, IPv6 in brackets: mqtts://[::]:8883';
  }
  if (/^[0-9.]+$/.test(bare) && isIP(bare) !== 4) return `${bare} is not an IPv4 address`;
  const port = digits === undefined ? DEFAULT_PORTS[scheme as keyof typeof DEFAULT_PORTS] : Number(digits);
  if (port > 65_535) return `${port} is not a port: 0 to 65535`;
  const webSocket = scheme === 'wss' || scheme === 'ws';
  if (!webSocket && path !== '' && path !== '/') return `${scheme} has no path`;
  return {
    scheme: scheme as ListenerAddress['scheme'],
    host: bare,
    port,
    path: webSocket ? (path === '' ? '/mqtt' : path) : '',
  };
}

// As registered with IANA for MQTT; WebSocket has none of its own.
const DEFAULT_PORTS = { mqtts: 8883, mqtt: 1883, wss: 8884, ws: 8083 } as const;
