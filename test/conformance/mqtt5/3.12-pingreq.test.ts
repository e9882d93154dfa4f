// MQTT 5.0, 3.12 and 3.13: PINGREQ and PINGRESP.

import { describe, expect, it } from 'vitest';
import { startTestBroker } from '../../harness/index.ts';

describe('PINGREQ', () => {
  it('[MQTT-3.12.4-1] is answered, each one', async () => {
    const client = await startTestBroker().connect('c');
    client.sendBytes('c0 00'.repeat(50));
    const packets = await client.receiveAll();
    expect(packets).toHaveLength(50);
    expect(packets.every((packet) => packet.type === 'pingresp')).toBe(true);
  });

  it('with a body ends the connection', async () => {
    const client = await startTestBroker().connect('c');
    client.sendBytes('c0 01 00');
    await client.expectDisconnected('malformed-packet', 'protocol-error');
  });
});
