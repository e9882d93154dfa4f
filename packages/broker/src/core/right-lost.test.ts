import { describe, expect, it } from 'vitest';
import { startTestBroker, type TestBroker } from '../../../../test/harness/index.ts';
import { policyOf, roleOf } from '../access/policy.ts';

const KEPT = { sessionExpiryInterval: 600 };
const granting = (...rules: string[]) => policyOf([roleOf('lab', ['allow all #', ...rules])]);
const back = (broker: TestBroker) => broker.connect('s', { cleanStart: false, properties: KEPT });

describe('a QoS 2 message that may not be received any more', () => {
  it('is let go by PUBREL where the client may have it: its identifier is free again', async () => {
    const broker = startTestBroker({ policy: granting() });
    const publisher = await broker.connect('p');
    const first = await broker.connect('s', { properties: KEPT });
    await first.subscribe('#');
    await publisher.deliver('secret', 'x', { qos: 2 });
    const { packetId } = await first.expectMessage('secret', 'x');
    await first.cut();
    await broker.usePolicy(granting('deny receive secret'));

    const second = await back(broker);
    expect(await second.receiveAll()).toMatchObject([{ type: 'pubrel', packetId }]);
    second.ack('pubcomp', packetId);
    await second.expectNothing();
    expect(broker.clients().find(({ clientId }) => clientId === 's')).toMatchObject({ inFlight: 0, queuedMessages: 0 });
    await second.cut();
    await (await back(broker)).expectNothing();
  });

  it('is given up without a word where it was never sent', async () => {
    const broker = startTestBroker({ policy: granting() });
    const publisher = await broker.connect('p');
    const first = await broker.connect('s', { properties: KEPT });
    await first.subscribe('#');
    await first.cut();
    await publisher.deliver('secret', 'x', { qos: 2 });
    await broker.usePolicy(granting('deny receive secret'));
    await (await back(broker)).expectNothing();
  });
});
