// Packet identifiers in use by this client (2.2.1). One space for PUBLISH, SUBSCRIBE and UNSUBSCRIBE.

import { MqttError } from './mqtt-error.ts';

const PACKET_ID_MAX = 65_535;

export class PacketIds {
  readonly #used = new Set<number>();
  #last = 0;

  /** Takes a non-zero identifier that is not in use [MQTT-2.2.1-3]. */
  take(): number {
    if (this.#used.size >= PACKET_ID_MAX) {
      throw new MqttError('packet-identifiers-exhausted', 'all 65,535 packet identifiers are in use');
    }
    do this.#last = (this.#last % PACKET_ID_MAX) + 1;
    while (this.#used.has(this.#last));
    this.#used.add(this.#last);
    return this.#last;
  }

  free(packetId: number): void {
    this.#used.delete(packetId);
  }
}
