// An exception that ends the process (CVE-2020-13410, GHSA-xxqp-5qx8-gj5q, CVE-2021-34432): whatever throws while one
// connection is served ends that connection.

import { describe, expect, it, onTestFinished } from 'vitest';
import { block, bytesOf, frame, settle, startTestBroker, text, uint16, will } from '../harness/index.ts';

/** Anything that got past the connections' own catch. */
function watchProcess(): unknown[] {
  const escaped: unknown[] = [];
  const note = (error: unknown): void => void escaped.push(error);
  process.on('uncaughtException', note);
  process.on('unhandledRejection', note);
  onTestFinished(() => {
    process.off('uncaughtException', note);
    process.off('unhandledRejection', note);
  });
  return escaped;
}

describe('nothing leaves a connection', () => {
  it.each([
    ['a topic of 65,535 slashes', frame(0x31, text('/'.repeat(65_535)), block(), 0x78)],
    ['a filter of 65,535 slashes', frame(0x82, uint16(1), block(), text('/'.repeat(65_535)), 0)],
    ['a filter of 32,767 plus signs', frame(0x82, uint16(1), block(), text(`${'+/'.repeat(32_766)}+`), 0)],
    ['an empty topic', frame(0x30, text(''), block(), 0x78)],
    ['an empty filter', frame(0x82, uint16(1), block(), text(''), 0)],
    ['an alias without a topic', frame(0x30, text(''), block(0x23, uint16(3)), 0x78)],
    ['UNSUBSCRIBE of what never was', frame(0xa2, uint16(1), block(), text('never'), text('#/#'))],
    ['acknowledgements of nothing', bytesOf('40 02 00 01 50 02 00 01 62 02 00 01 70 02 00 01')],
    ['an AUTH out of nowhere', bytesOf('f0 00')],
  ])('%s', async (_what, packet) => {
    const escaped = watchProcess();
    const broker = startTestBroker();
    const other = await broker.connect('other');
    const client = await broker.connect('c', { will: will('/'.repeat(100), 'x', { retain: true }) });
    client.sendBytes(packet);
    await client.cut();
    const late = await broker.connect('late');
    await late.subscribe('#');
    await late.receiveAll();
    await other.ping();
    expect(escaped).toEqual([]);
  });

  it('guards, access and streams that throw', async () => {
    const escaped = watchProcess();
    const broker = startTestBroker({
      authenticate: ({ clientId }) => {
        if (clientId === 'throws') throw new Error('synchronously');
        if (clientId === 'rejects') return Promise.reject(new Error('later'));
        const identity = { realm: 'test', name: clientId, kind: 'user', roles: [] } as const;
        return Promise.resolve({ allow: true, identity, data: undefined, expiresAtMs: 0 });
      },
    });
    const other = await broker.connect('other');
    for (const clientId of ['throws', 'rejects']) {
      const client = broker.open(4);
      client.sendBytes(frame(0x10, text('MQTT'), 4, 2, uint16(0), text(clientId)));
      const packets = await client.receiveAll();
      expect(packets.every((packet) => packet.type === 'connack' && packet.reasonCode > 0)).toBe(true);
      expect(client.closed).toBe(true);
    }
    await settle();
    await other.ping();
    expect(escaped).toEqual([]);
  });
});
