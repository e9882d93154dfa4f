// Retained messages after rights were taken away (CVE-2018-12546): they are asked for again at each delivery, and who lost
// the right to a topic neither replaces nor clears what is kept there. What happens to what a revoked identity left behind
// is decided where identities are revoked.

import { expect, it } from 'vitest';
import { startTestBroker } from '../harness/index.ts';

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
