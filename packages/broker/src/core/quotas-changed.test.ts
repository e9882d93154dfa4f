// Policy and roles that change while a client is on its way in, or connected: what counts is what holds when it is asked.

import { describe, expect, it } from 'vitest';
import { because } from '../../../../test/harness/because.ts';
import { startTestBroker } from '../../../../test/harness/index.ts';
import { ALLOW_ALL, accessOf } from '../../../../test/harness/rules.ts';
import { will } from '../../../../test/harness/will.ts';
import { completeQuotas } from '../access/quotas.ts';
import { NO_QUOTAS } from '../ports/quotas.ts';
import { MemoryStore } from '../store/memory/memory-store.ts';

describe('a policy that comes while the store opens a session', () => {
  /** A client that waits for its session; `answer` lets the store speak. */
  async function opening(fields: object = {}) {
    let held: (() => void)[] | undefined;
    const store = new MemoryStore({
      defer: (answer) => (held === undefined ? setImmediate(answer) : held.push(answer)),
    });
    const broker = startTestBroker({ store });
    await broker.connect('first');
    held = [];
    const client = broker.open();
    const connect = { version: 5, clientId: 'second', cleanStart: false, keepAlive: 0, properties: {}, ...fields };
    client.send({ type: 'connect', ...connect } as never);
    await broker.advance(0);
    expect(broker.clients()).toContainEqual(expect.objectContaining({ clientId: 'second', state: 'opening' }));
    const answer = (): void => {
      const all = held ?? [];
      held = undefined;
      for (const one of all) one();
    };
    return { broker, client, answer };
  }

  it('counts connections by its numbers, not by those of before', async () => {
    const { broker, client, answer } = await opening();
    broker.access.bound({ connections: 1 });
    answer();
    expect((await client.receive('connack')).reasonCode).toBe(0x97);
    expect(because(broker)).toContain('role test allows 1 connections, and there are 1 already');
  });

  it('lets in whom the one before would have refused', async () => {
    const { broker, client, answer } = await opening();
    broker.access.bound({ connections: 1 });
    broker.access.bound({ connections: 2 });
    answer();
    expect((await client.receive('connack')).reasonCode).toBe(0);
  });

  it('has its say about the will', async () => {
    const { broker, client, answer } = await opening({ will: will('last/word', 'x') });
    broker.access.replace(['allow all #', 'deny publish last/word']);
    answer();
    expect((await client.receive('connack')).reasonCode).toBe(0x87);
    expect(because(broker)).toMatch(/^the will: a rule of the test denies it/);
  });
});

it('a client that proves itself anew with other roles is held to what their quotas say is owed', async () => {
  const free = accessOf(ALLOW_ALL);
  const broker = startTestBroker({
    access: {
      ...free,
      rightsOf: (subject) => {
        const isSlow = subject.identity.roles.includes('slow');
        return {
          ...free.rightsOf(subject),
          quotas: isSlow ? completeQuotas('slow', { bytesPerSecond: 1_000 }) : NO_QUOTAS,
        };
      },
    },
    authenticate: async ({ data = new Uint8Array() }) => {
      const roles = [Buffer.from(data).toString()];
      return {
        allow: true,
        identity: { realm: 'r', name: 'n', kind: 'device', roles },
        data: undefined,
        expiresAtMs: 0,
      };
    },
  });
  const proof = (role: string) => ({ authenticationMethod: 'M', authenticationData: Buffer.from(role) });
  const debtor = await broker.connect('a', { properties: proof('slow') });
  debtor.publish('t', 'x'.repeat(6_000), { qos: 1 });
  await debtor.receive('puback');
  const client = await broker.connect('b', { properties: proof('free') });
  client.publish('t', 'x', { qos: 1 });
  expect((await client.receive('puback')).reasonCode).toBe(0x10);
  client.send({ type: 'auth', reasonCode: 0x19, properties: proof('slow') });
  expect((await client.receive('auth')).reasonCode).toBe(0);
  client.publish('t', 'y', { qos: 1 });
  await broker.advance(2_000);
  await client.expectNothing();
  await broker.advance(3_250);
  expect((await client.receive('puback')).reasonCode).toBe(0x10);
});
