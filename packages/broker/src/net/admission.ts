// Who is talked to at all: connections at once per source and handshakes at once, counted over all listeners and before
// TLS. Owns the counts; bans and rates are decided by the guard `admit`.

import ipaddr from 'ipaddr.js';
import type { AdmissionConfig } from '../ports/config.ts';
import { CALM, type Pressure } from '../ports/pressure.ts';
import { type Refusal, refuse } from '../ports/verdict.ts';

type Address = ipaddr.IPv4 | ipaddr.IPv6;

interface Source {
  connections: number;
  handshakes: number;
}

/** Sources without a budget have this key. */
const EXEMPT = '';
const WHEN_MEMORY_IS_SHORT = 1 / 8;
/** A provider gives a household or a plant at least this much: an IPv6 source is its network, not one address. */
const IPV6_SOURCE_BITS = 64;

export class Admission {
  /** Peers that were accepted and are not through yet, exempt ones not counted. */
  handshakes = 0;
  readonly #config: AdmissionConfig;
  readonly #pressure: Pressure;
  readonly #exempt: readonly (readonly [Address, number])[];
  readonly #sources = new Map<string, Source>();

  /** Throws if an entry of `exempt` is neither an address nor a network. */
  constructor(config: AdmissionConfig, pressure: Pressure = CALM) {
    this.#config = config;
    this.#pressure = pressure;
    this.#exempt = config.exempt.map((entry) => {
      if (entry.includes('/')) return ipaddr.parseCIDR(entry);
      const address = ipaddr.process(entry);
      return [address, address.toByteArray().length * 8];
    });
  }

  /** The key under which a peer's address is counted. */
  sourceOf(address: string): string {
    if (address === '') return EXEMPT;
    const parsed = ipaddr.process(withoutZone(address));
    for (const [network, bits] of this.#exempt) {
      if (network.kind() === parsed.kind() && parsed.match(network, bits)) return EXEMPT;
    }
    if (parsed.kind() === 'ipv4') return parsed.toString();
    return `${ipaddr.IPv6.networkAddressFromCIDR(`${parsed.toString()}/${IPV6_SOURCE_BITS}`).toString()}/${IPV6_SOURCE_BITS}`;
  }

  /** Counts a new connection and its handshake, or says why there is no room for it. */
  enter(source: string): Refusal | undefined {
    if (source === EXEMPT) return undefined;
    const { connectionsPerSourceMax } = this.#config;
    const { handshakesAtOnceMax } = this;
    const known = this.#sources.get(source);
    if (known !== undefined && known.connections >= connectionsPerSourceMax) {
      const because = `${source} has ${known.connections} connections already`;
      return refuse('connection-rate-exceeded', because, 'admission.connectionsPerSourceMax');
    }
    if (this.handshakes >= handshakesAtOnceMax) {
      return refuse(
        'server-busy',
        `${this.handshakes} handshakes are under way already`,
        'admission.handshakesAtOnceMax',
      );
    }
    // One source alone never takes the places of all.
    if (known !== undefined && known.handshakes >= Math.ceil(handshakesAtOnceMax / 2)) {
      const because = `${source} has ${known.handshakes} handshakes under way already, half of what there is`;
      return refuse('connection-rate-exceeded', because, 'admission.handshakesAtOnceMax');
    }
    this.handshakes += 1;
    if (known === undefined) this.#sources.set(source, { connections: 1, handshakes: 1 });
    else {
      known.connections += 1;
      known.handshakes += 1;
    }
    return undefined;
  }

  /**
   * Before TLS nobody knows who has a session. When memory is short and those without one are refused afterwards, few at a time
   * find out.
   */
  get handshakesAtOnceMax(): number {
    const { handshakesAtOnceMax } = this.#config;
    return this.#pressure.stage < 2 ? handshakesAtOnceMax : Math.ceil(handshakesAtOnceMax * WHEN_MEMORY_IS_SHORT);
  }

  /** The handshake is over, well or not. */
  shaken(source: string): void {
    const known = this.#sources.get(source);
    if (known === undefined) return;
    this.handshakes -= 1;
    known.handshakes -= 1;
  }

  /** The connection is closed. */
  leave(source: string): void {
    const known = this.#sources.get(source);
    if (known === undefined) return;
    known.connections -= 1;
    if (known.connections === 0) this.#sources.delete(source);
  }

  /** Sources with a connection. */
  get sources(): number {
    return this.#sources.size;
  }
}

/** An address as it is written everywhere in Motte: IPv4 in IPv6 is IPv4, no zone. */
export function plainAddress(address: string): string {
  return address === '' ? '' : ipaddr.process(withoutZone(address)).toString();
}

function withoutZone(address: string): string {
  const zone = address.indexOf('%');
  return zone < 0 ? address : address.slice(0, zone);
}
