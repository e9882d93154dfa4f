// A hash that is expensive on purpose is a weapon in the hands of whoever may ask for one. A flood of wrong logins gets one hash at a time
// and a short queue; everybody else goes on. No time is measured: while the one hash is held, everything else has to happen.

import { describe, expect, it } from 'vitest';
import { createGuards } from '../../packages/broker/src/identity/guards.ts';
import type { ListenerFacts } from '../../packages/broker/src/ports/connection-facts.ts';
import { DEFAULT_LIMITS } from '../../packages/broker/src/ports/limits.ts';
import { CountedHashing, fakeHash, MemoryDirectory, user } from '../../packages/broker/src/testing/logins.ts';
import { FakeClock, type RawClient, settle, startTestBroker, type TestBroker } from '../harness/index.ts';

const PASSWORD = 'correct horse battery';
const FLOOD = 500;
const PANEL: ListenerFacts = {
  name: 'panel',
  scheme: 'mqtts',
  authentication: 'password',
  role: 'lab',
  clientIds: 'any',
  versions: [3, 4, 5],
};

function world(): { broker: TestBroker; hashing: CountedHashing } {
  const hashing = new CountedHashing();
  const directory = new MemoryDirectory(user('ada', { kind: 'argon2id', hash: fakeHash(PASSWORD) }));
  const trust = { number: 1, issuers: [] };
  const guards = createGuards({ directory, trust, clock: new FakeClock(), limits: DEFAULT_LIMITS, hashing });
  return { broker: startTestBroker({ authenticate: (evidence) => guards.authenticate(evidence) }), hashing };
}

function login(broker: TestBroker, clientId: string, password: string, address: string, userName = 'ada'): RawClient {
  const client = broker.open(5, { listener: PANEL, address });
  const credentials = { userName, password: Buffer.from(password) };
  client.send({
    type: 'connect',
    version: 5,
    clientId,
    cleanStart: true,
    keepAlive: 0,
    ...credentials,
    properties: {},
  });
  return client;
}

function flood(broker: TestBroker, addressOf: (n: number) => string, nameOf: (n: number) => string): RawClient[] {
  return Array.from({ length: FLOOD }, (_, n) => login(broker, `flood-${n}`, `wrong-${n}`, addressOf(n), nameOf(n)));
}

async function codes(clients: readonly RawClient[]): Promise<Map<number, number>> {
  const counts = new Map<number, number>();
  for (const client of clients) {
    for (const packet of await client.receiveAll()) {
      if (packet.type === 'connack') counts.set(packet.reasonCode, (counts.get(packet.reasonCode) ?? 0) + 1);
    }
  }
  return counts;
}

const HALF = DEFAULT_LIMITS.loginsWaitingMax / 2;

describe('a flood of wrong logins', () => {
  it.each<[string, (n: number) => string, (n: number) => string, number]>([
    ['from one place', () => '192.0.2.1', (n) => `u${n}`, DEFAULT_LIMITS.loginsWaitingPerSourceMax],
    ['from everywhere', (n) => `192.0.${n >> 8}.${n & 255}`, (n) => `u${n}`, HALF],
    [
      'from one network of IPv6',
      (n) => `2001:db8::${n.toString(16)}`,
      (n) => `u${n}`,
      DEFAULT_LIMITS.loginsWaitingPerSourceMax,
    ],
  ])(
    '%s: one is hashed, few wait, the rest is refused, and messages flow',
    async (_what, addressOf, nameOf, waiting) => {
      const { broker, hashing } = world();
      const reader = await broker.connect('reader');
      const writer = await broker.connect('writer');
      await reader.subscribe('a');
      hashing.hold();
      const clients = flood(broker, addressOf, nameOf);
      await settle();
      expect(hashing.calls).toBe(1);
      for (let n = 0; n < 20; n++) {
        writer.publish('a', `message ${n}`);
        await reader.expectMessage('a', `message ${n}`);
      }
      // Others prove themselves meanwhile: those who need no hash have no one before them.
      const late = await broker.connect('late');
      await late.ping();
      expect(hashing.calls).toBe(1);
      hashing.release();
      for (let n = 0; n < waiting + 2; n++) await settle();
      const answered = await codes(clients);
      expect(hashing.atOnceMax).toBe(1);
      expect(hashing.calls).toBe(waiting + 1);
      expect(answered.get(0x86)).toBe(waiting + 1);
      expect(answered.get(0x89)).toBe(FLOOD - waiting - 1);
    },
  );

  it('for one name is hashed a few times and no more', async () => {
    const { broker, hashing } = world();
    for (let round = 0; round < 20; round++) {
      const clients = Array.from({ length: 8 }, (_, n) => login(broker, `c${n}`, `wrong-${n}`, '192.0.2.1'));
      for (let n = 0; n < 10; n++) await settle();
      await codes(clients);
    }
    expect(hashing.calls).toBe(6);
  });

  it('does not keep out who logged in before, from wherever it is', async () => {
    const { broker, hashing } = world();
    const first = login(broker, 'ada', PASSWORD, '198.51.100.7');
    await settle();
    expect((await first.receive('connack')).reasonCode).toBe(0);
    hashing.hold();
    flood(
      broker,
      (n) => `192.0.${n >> 8}.${n & 255}`,
      (n) => `u${n}`,
    );
    await settle();
    const back = login(broker, 'ada/back', PASSWORD, '198.51.100.7');
    expect((await back.receive('connack')).reasonCode).toBe(0);
    hashing.release();
  });
});

describe('a storm of right logins', () => {
  it('of one user costs one hash', async () => {
    const { broker, hashing } = world();
    const first = login(broker, 'ada', PASSWORD, '198.51.100.7');
    await settle();
    expect((await first.receive('connack')).reasonCode).toBe(0);
    for (let n = 0; n < 200; n++) {
      const client = login(broker, `ada/${n}`, PASSWORD, `198.51.${n}.1`);
      expect((await client.receive('connack')).reasonCode).toBe(0);
      await client.cut();
    }
    expect(hashing.calls).toBe(1);
  });
});
