// Sessions found by client identifier alone (CVE-2026-33215, mosquitto #3551, mochi #504, NanoMQ #2333): a session belongs
// to (identity, client identifier), and a peer that is not proven touches none.

import { describe, expect, it } from 'vitest';
import { refuse } from '../../packages/broker/src/ports/verdict.ts';
import { startTestBroker } from '../harness/index.ts';

const KEPT = { version: 4, cleanStart: false } as const;

/** A broker on which the user name is the proven identity; `nobody` is refused. */
function startNamed() {
  return startTestBroker({
    authenticate: ({ userName = '' }) => {
      const [name = '', realm = 'test'] = userName.split('@');
      const identity = { realm, name, kind: 'user', roles: [] } as const;
      return Promise.resolve(
        name === 'nobody'
          ? refuse('not-authorized', 'no', 'test')
          : { allow: true, identity, data: undefined, expiresAtMs: 0 },
      );
    },
  });
}

describe('the client identifier of somebody else', () => {
  it.each(['eve', 'alice@other', 'alice '])(
    '%s neither takes over, resumes nor reads the session of alice',
    async (userName) => {
      const broker = startNamed();
      const publisher = await broker.connect('p', { userName: 'p' });
      const alice = await broker.connect('c', { ...KEPT, userName: 'alice' });
      await alice.subscribe('secret');
      const eve = await broker.connect('c', { ...KEPT, userName });
      expect(eve.connack?.sessionPresent).toBe(false);
      await alice.ping();
      await publisher.deliver('secret', 'x');
      expect(await alice.takeMessages(1)).toEqual(['x']);
      await eve.expectNothing();
      await alice.disconnect();
      await publisher.deliver('secret', 'queued');
      const again = await broker.connect('c', { ...KEPT, userName });
      await again.expectNothing();
      await again.disconnect();
      // A clean start of eve ends no session but her own.
      await (await broker.connect('c', { version: 4, userName })).disconnect();
      const back = await broker.connect('c', { ...KEPT, userName: 'alice' });
      expect(back.connack?.sessionPresent).toBe(true);
      expect(await back.takeMessages(1)).toEqual(['queued']);
    },
  );

  it('a peer that is refused ends, takes over and clears nothing', async () => {
    const broker = startNamed();
    const publisher = await broker.connect('p', { userName: 'p' });
    const alice = await broker.connect('c', { ...KEPT, userName: 'alice' });
    await alice.subscribe('a');
    for (const cleanStart of [true, false]) {
      const client = broker.open(4);
      expect((await client.connect('c', { cleanStart, userName: 'nobody' })).reasonCode).toBe(5);
    }
    await alice.ping();
    await alice.cut();
    await publisher.deliver('a', 'x');
    const client = broker.open(4);
    await client.connect('c', { userName: 'nobody' });
    const back = await broker.connect('c', { ...KEPT, userName: 'alice' });
    expect(await back.takeMessages(1)).toEqual(['x']);
  });

  it('an open QoS 2 exchange of somebody else cannot be released', async () => {
    const broker = startNamed();
    const watcher = await broker.connect('w', { userName: 'w' });
    await watcher.subscribe('a');
    const alice = await broker.connect('c', { ...KEPT, userName: 'alice' });
    alice.publish('a', 'x', { qos: 2, packetId: 9 });
    await alice.receive('pubrec');
    const eve = await broker.connect('c', { ...KEPT, userName: 'eve' });
    eve.ack('pubrel', 9);
    await eve.receive('pubcomp');
    await watcher.expectNothing();
    alice.ack('pubrel', 9);
    await alice.receive('pubcomp');
    expect(await watcher.takeMessages(1)).toEqual(['x']);
  });
});
