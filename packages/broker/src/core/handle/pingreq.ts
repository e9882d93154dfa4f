// PINGREQ (3.12): answered at once [MQTT-3.12.4-1]; that it was heard is noted for every packet alike.

import type { Client } from '../client.ts';

const PINGRESP = Uint8Array.of(0xd0, 0x00);

export function receivePingreq(client: Client): void {
  client.link.write(PINGRESP);
}
