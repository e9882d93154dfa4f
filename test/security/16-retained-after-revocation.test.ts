// Retained messages after rights were taken away (CVE-2018-12546): they are asked for again at each delivery, and who lost
// the right to a topic neither replaces nor clears what is kept there. What an identity left behind that was taken away is kept,
// cleared, or told to be of nobody any more, as `identity.onRevoke` says.

import { describe, expect, it } from 'vitest';
import type { OnRevoke } from '../../packages/broker/src/ports/config.ts';
import type { RegisteredIdentity } from '../../packages/broker/src/ports/directory.ts';
import { startTestBroker, type TestBroker, will } from '../harness/index.ts';

it('one who lost the right to a topic neither replaces nor clears what it holds', async () => {
  const broker = startTestBroker({ rules: ['allow all #'] });
  const [owner, client] = [await broker.connect('owner'), await broker.connect('c', { version: 4 })];
  await owner.deliver('a', 'good', { retain: true });
  broker.access.replace(['allow subscribe #']);
  client.publish('a', '', { retain: true });
  await client.deliver('a', 'bad', { retain: true });
  await client.deliver('a', '', { retain: true, qos: 2 });
  const late = await broker.connect('late');
  await late.subscribe('a');
  await late.expectMessage('a', 'good');
  await late.expectNothing();
});

it('one who lost the right to receive it gets it no more, also by a subscription of before', async () => {
  const broker = startTestBroker({ rules: ['allow all #'] });
  const owner = await broker.connect('owner');
  await owner.deliver('a', 'x', { retain: true });
  const kept = { version: 4, cleanStart: false } as const;
  const first = await broker.connect('c', kept);
  await first.subscribe('#');
  await first.expectMessage('a', 'x');
  await first.cut();
  broker.access.replace(['allow all #', 'deny receive a']);
  const again = await broker.connect('c', kept);
  await again.subscribe('#');
  expect((await again.receiveAll()).filter((packet) => packet.type === 'publish')).toEqual([]);
});

const device = (name: string): RegisteredIdentity => ({
  realm: 'ca:motte',
  name,
  kind: 'device',
  roles: [],
  state: 'active',
  addedAtMs: 0,
});

function startPlant(onRevoke?: OnRevoke): TestBroker {
  return startTestBroker({
    identities: (clientId) => device(clientId.split('/', 1)[0] as string),
    registered: ['pump', 'valve', 'panel'].map(device),
    endsWithRegistry: true,
    ...(onRevoke === undefined ? {} : { onRevoke }),
  });
}

/** What somebody finds who comes new. */
async function retained(broker: TestBroker): Promise<readonly (readonly [topic: string, payload: string])[]> {
  const late = await broker.connect('panel/late');
  await late.subscribe({ filter: '#', qos: 0 });
  const packets = await late.receiveAll();
  await late.cut();
  return packets
    .flatMap((packet) =>
      packet.type === 'publish' ? [[packet.topic, Buffer.from(packet.payload).toString()] as const] : [],
    )
    .sort();
}

describe('what a device left behind that is taken away', () => {
  it('stays by default; its connections end, its will is not published, its queue is gone', async () => {
    const broker = startPlant();
    const KEPT = { properties: { sessionExpiryInterval: 600 } };
    const pump = await broker.connect('pump', { ...KEPT, will: will('pump/gone', 'dead') });
    const away = await broker.connect('pump/away', {
      ...KEPT,
      will: will('pump/gone', 'dead too', { properties: { willDelayInterval: 60 } }),
    });
    await away.subscribe({ filter: 'orders', qos: 1 });
    await away.cut();
    const panel = await broker.connect('panel');
    await panel.subscribe('pump/gone');
    await panel.deliver('orders', 'start');
    await pump.deliver('pump/state', 'on', { retain: true });
    await broker.directory.remove('ca:motte', 'pump');
    await broker.advance(250);
    expect(await pump.receiveAll()).toContainEqual(expect.objectContaining({ type: 'disconnect', reasonCode: 0x98 }));
    expect(pump.closed).toBe(true);
    await broker.advance(120_000);
    await panel.expectNothing();
    expect(broker.clients().map(({ clientId }) => clientId)).toEqual(['panel']);
    expect(broker.events.filter(({ name }) => name === 'device.revoked')).toEqual([
      expect.objectContaining({ connections: 1, sessions: 2, queuedMessages: 1, wills: 2 }),
    ]);
    expect(await retained(broker)).toEqual([['pump/state', 'on']]);
  });

  it('is cleared with `clear`, page by page, and nothing of others', async () => {
    const broker = startPlant({ kind: 'clear' });
    const [pump, valve] = [await broker.connect('pump'), await broker.connect('valve')];
    for (let n = 0; n < 600; n++) await (n % 2 === 0 ? pump : valve).deliver(`t/${n}`, `${n}`, { retain: true });
    await broker.directory.put({ ...device('pump'), state: 'disabled' });
    await broker.advance(1_000);
    const left = await retained(broker);
    expect(left).toHaveLength(300);
    expect(left.every(([, payload]) => Number(payload) % 2 === 1)).toBe(true);
  });

  it('is joined with `publish` by a word that it is gone', async () => {
    const broker = startPlant({ kind: 'publish', topic: 'devices/${device}/gone' });
    const pump = await broker.connect('pump');
    await pump.deliver('pump/state', 'on', { retain: true });
    const panel = await broker.connect('panel');
    await panel.subscribe('devices/+/gone');
    await broker.directory.remove('ca:motte', 'pump');
    await broker.advance(250);
    const [message] = (await panel.receiveAll()).flatMap((packet) => (packet.type === 'publish' ? [packet] : []));
    expect(JSON.parse(Buffer.from(message?.payload ?? '').toString())).toMatchObject({
      device: 'pump',
      state: 'revoked',
    });
    expect((await retained(broker)).map(([topic]) => topic)).toEqual(['devices/pump/gone', 'pump/state']);
  });
});
