// Packets in the wrong direction or state (CVE-2021-28166): each of the fifteen types in each state of a connection.

import { describe, expect, it } from 'vitest';
import { frame, joined, startTestBroker, text, uint16 } from '../harness/index.ts';

/** Each type once as 3.1.1 and as 5.0 would write it, and whether a client may send it when it is connected. */
const TYPES: readonly {
  readonly title: string;
  readonly four: string;
  readonly five: string;
  readonly open: boolean;
}[] = [
  {
    title: 'CONNECT',
    four: '10 0d 00 04 4d515454 04 02 0000 0001 63',
    five: '10 0e 00 04 4d515454 05 02 0000 00 0001 63',
    open: false,
  },
  { title: 'CONNACK', four: '20 02 00 00', five: '20 03 00 00 00', open: false },
  { title: 'PUBLISH', four: '30 04 0001 61 78', five: '30 05 0001 61 00 78', open: true },
  { title: 'PUBACK', four: '40 02 0001', five: '40 02 0001', open: true },
  { title: 'PUBREC', four: '50 02 0001', five: '50 02 0001', open: true },
  { title: 'PUBREL', four: '62 02 0001', five: '62 02 0001', open: true },
  { title: 'PUBCOMP', four: '70 02 0001', five: '70 02 0001', open: true },
  { title: 'SUBSCRIBE', four: '82 06 0001 0001 61 00', five: '82 07 0001 00 0001 61 00', open: true },
  { title: 'SUBACK', four: '90 03 0001 00', five: '90 04 0001 00 00', open: false },
  { title: 'UNSUBSCRIBE', four: 'a2 05 0001 0001 61', five: 'a2 06 0001 00 0001 61', open: true },
  { title: 'UNSUBACK', four: 'b0 02 0001', five: 'b0 04 0001 00 00', open: false },
  { title: 'PINGREQ', four: 'c0 00', five: 'c0 00', open: true },
  { title: 'PINGRESP', four: 'd0 00', five: 'd0 00', open: false },
  { title: 'DISCONNECT', four: 'e0 00', five: 'e0 00', open: false },
  { title: 'AUTH', four: 'f0 00', five: 'f0 00', open: false },
];

const connect = (version: 4 | 5): Uint8Array =>
  frame(0x10, text('MQTT'), version, 2, uint16(0), version === 5 ? '00' : '', text('c'));

describe.each(TYPES)('$title', ({ title, four, five, open }) => {
  it.each([4, 5] as const)('before CONNECT, while it is worked on, and after it, version %i', async (version) => {
    const bytes = version === 4 ? four : five;
    const broker = startTestBroker();
    const watcher = await broker.connect('watcher');
    await watcher.subscribe('#');

    const early = broker.open(version);
    early.sendBytes(bytes);
    await early.receiveAll();
    expect(early.closed).toBe(title !== 'CONNECT');
    await watcher.expectNothing();
    await early.cut();

    const client = await broker.connect('c', { version });
    client.sendBytes(bytes);
    await client.receiveAll();
    expect(client.closed).toBe(!open);

    const piped = broker.open(version);
    piped.sendBytes(joined([connect(version), bytes]));
    const [first] = await piped.receiveAll();
    expect(first?.type).toBe('connack');
    expect(piped.closed).toBe(!open);
    await watcher.receiveAll();
    expect(watcher.closed).toBe(false);
  });

  it('while the proof of identity is under way: nothing comes of it', async () => {
    const broker = startTestBroker({ authenticate: () => new Promise(() => undefined) });
    const client = broker.open(5);
    client.sendBytes(joined([connect(5), five]));
    expect(await client.receiveAll()).toEqual([]);
    await broker.advance(11_000);
    const packets = await client.receiveAll();
    expect(packets.every((packet) => packet.type === 'connack' && packet.reasonCode >= 0x80)).toBe(true);
    expect(client.closed).toBe(true);
  });
});
