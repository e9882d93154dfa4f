// The network between clients and broker: connections, and bytes that pass when the world says so.

import type { Chance } from '../fuzz/chance.ts';
import type { Wire } from './endpoint.ts';
import { LISTENER, type Machine } from './machine.ts';
import { REGISTERED_LISTENER } from './registry.ts';
import { WireEnd } from './wire-end.ts';

/** Whoever connects to the broker. */
export interface Peer {
  readonly id: string;
  readonly isOnline: boolean;
  /** Nothing is unfinished, on either side. */
  readonly isDone: boolean;
  /** What is unfinished, for people. */
  readonly state: string;
  /** Absent = it comes by the listener for everybody. */
  readonly userName?: string | undefined;
  /** Bytes that the network holds for it; absent = as many as for everybody. */
  readonly windowBytes?: number | undefined;
  /** Begins a connection; an older one of the same client may still live. */
  connect(wire: Wire): void;
  take(wire: Wire, bytes: Uint8Array): void;
  /** The connection is over: the network failed, or the broker ended it. */
  lost(wire: Wire, wasCut: boolean): void;
  cut(): void;
  /** Sends one acknowledgement that is due. */
  acknowledge(): void;
}

export class Network {
  readonly #chance: Chance;
  #wires: WireEnd[] = [];

  constructor(chance: Chance) {
    this.#chance = chance;
  }

  get isBusy(): boolean {
    return this.#wires.some((wire) => wire.isBusy);
  }

  /** Lets some bytes pass. */
  pass(times = 1): void {
    for (let left = times; left > 0; left--) {
      const busy = this.#wires.filter((wire) => wire.isBusy);
      if (busy.length === 0) return;
      this.#chance.pick(busy).pass(this.#chance);
    }
  }

  connect(peer: Peer, machine: Machine): void {
    const wire: WireEnd = new WireEnd(
      (bytes) => peer.take(wire, bytes),
      () => {
        this.#wires = this.#wires.filter((one) => one !== wire);
        peer.lost(wire, wire.wasCut);
      },
      peer.windowBytes,
    );
    this.#wires.push(wire);
    peer.connect(wire);
    const listener = peer.userName === undefined ? LISTENER : REGISTERED_LISTENER;
    machine.broker?.accept(wire, { listener, address: '10.0.0.1' });
  }

  cutAll(): void {
    for (const wire of [...this.#wires]) wire.cut();
  }
}
