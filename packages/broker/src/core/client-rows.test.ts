import { expect, it } from 'vitest';
import { startTestBroker } from '../../../../test/harness/index.ts';

it('an identity is shown as refusals and commands have it', async () => {
  const broker = startTestBroker();
  await broker.connect('a');
  expect(broker.clients().map(({ identity }) => identity)).toEqual(['anonymous@test']);
  const device = startTestBroker({ identities: (name) => ({ realm: 'ca:motte', name, kind: 'device', roles: [] }) });
  await device.connect('pump-1', { cleanStart: false, properties: { sessionExpiryInterval: 60 } });
  expect(device.clients().map(({ identity }) => identity)).toEqual(['pump-1']);
});
