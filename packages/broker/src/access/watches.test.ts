// Watches on a whole broker: what is held when one begins, what a client does on every way, and when it ends.

import { expect, it } from 'vitest';
import { startTestBroker, type TestBroker, will } from '../../../../test/harness/index.ts';
import type { Identity } from '../ports/identity.ts';
import { WATCH_LIMITS } from '../ports/watch.ts';
import { policyOf, roleOf } from './policy.ts';

const WIDE = ['allow all a/#', 'deny publish a/secret'];
const identityOf = (clientId: string): Identity => ({
  realm: 'ca:motte',
  name: clientId.split('/')[0] ?? '',
  kind: 'device',
  roles: ['wide'],
});
const PUMP = identityOf('pump');

function broker(): TestBroker {
  return startTestBroker({
    policy: policyOf([roleOf('wide', WIDE)]),
    identities: identityOf,
    listener: { authentication: 'certificate', role: undefined },
  });
}

it('has what is held already, of sessions that are connected and away, wills included', async () => {
  const motte = broker();
  const client = await motte.connect('pump', { will: will('a/will', 'x', { qos: 1, retain: true }) });
  await client.subscribe(['a/connected', '$share/g/a/shared']);
  const away = await motte.connect('pump/away', { properties: { sessionExpiryInterval: 100 } });
  await away.subscribe('a/away');
  await away.cut();
  const other = await motte.connect('other');
  await other.subscribe('a/theirs');
  const watch = motte.watch(PUMP, 60);
  watch?.end('asked');
  const { record } = (await watch?.done) ?? {};
  expect(record?.filters.map(({ filter }) => filter)).toEqual(['a/connected', 'a/shared', 'a/away']);
  expect(record?.publishes).toMatchObject([{ topic: 'a/will', qosMax: 1, retained: true }]);
});

it('goes on over reconnects, and sees QoS 2, aliases and wills at CONNECT; others stay out of it', async () => {
  const motte = broker();
  const watch = motte.watch(PUMP, 60);
  const first = await motte.connect('pump');
  const other = await motte.connect('other');
  await other.deliver('a/theirs', 'x', { qos: 1 });
  await first.deliver('a/one', 'x', { qos: 1, properties: { topicAlias: 1 } });
  await first.deliver('', 'x', { qos: 1, properties: { topicAlias: 1 } });
  await first.cut();
  const again = await motte.connect('pump/again', { version: 4, will: will('a/will', 'x', { qos: 1 }) });
  await again.deliver('a/two', 'x', { qos: 2 });
  expect(await again.deliver('a/secret', 'x', { qos: 1 })).toBe(0);
  expect(watch?.seen).toEqual({ topics: 3, filters: 0, refusals: 1 });
  watch?.end('asked');
  const ended = await watch?.done;
  expect(ended?.record.publishes.map(({ topic, qosMax }) => [topic, qosMax])).toEqual([
    ['a/one', 1],
    ['a/will', 1],
    ['a/two', 2],
  ]);
  expect(ended?.record.refusals.map(({ target }) => target)).toEqual(['a/secret']);
});

it('ends by time, and says so in events', async () => {
  const motte = broker();
  const watch = motte.watch(PUMP, 10);
  await motte.advance(9_000);
  expect(motte.watch(PUMP, 10)).toBeUndefined();
  await motte.advance(1_500);
  expect(await watch?.done).toMatchObject({ why: 'time', seconds: 11 });
  expect(motte.events.filter(({ name }) => name.startsWith('watch.'))).toMatchObject([
    { name: 'watch.began', identity: 'ca:motte\npump', seconds: 10 },
    { name: 'watch.ended', why: 'time', topics: 0 },
  ]);
  const next = motte.watch(PUMP, 10);
  expect(next).toBeDefined();
  watch?.end('gone');
  expect((await Promise.race([next?.done, Promise.resolve('it goes on')])) as unknown).toBe('it goes on');
});

it('ends with the broker', async () => {
  const motte = broker();
  const watch = motte.watch(PUMP, 10);
  await motte.stop();
  expect(await watch?.done).toMatchObject({ why: 'stopping' });
});

it('as many at once as there may be, each of another identity', async () => {
  const motte = broker();
  const watches = Array.from({ length: WATCH_LIMITS.watchesMax }, (_, i) => motte.watch(identityOf(`pump-${i}`), 60));
  expect(watches).not.toContain(undefined);
  expect(motte.watch(PUMP, 60)).toBeUndefined();
  watches[0]?.end('asked');
  expect(motte.watch(PUMP, 60)).toBeDefined();
});
