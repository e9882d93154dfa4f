// Who tries names learns nothing: whatever is wrong with a login, the answer is the same to the byte and costs the same work. Times are
// not measured here: the expensive calls are counted.

import { beforeAll, describe, expect, it } from 'vitest';
import { createGuards } from '../../packages/broker/src/identity/guards.ts';
import { makeScramVerifier, type ScramVerifier } from '../../packages/broker/src/identity/scram/keys.ts';
import type { AuthenticationMode } from '../../packages/broker/src/ports/connection-facts.ts';
import { DEFAULT_LIMITS } from '../../packages/broker/src/ports/limits.ts';
import { CountedHashing, fakeHash, MemoryDirectory, user } from '../../packages/broker/src/testing/logins.ts';
import { ScramClient } from '../../packages/broker/src/testing/scram-client.ts';
import { FakeClock, startTestBroker, type TestBroker } from '../harness/index.ts';

const PASSWORD = 'correct horse battery';
/** Of a password that nobody here tries. */
const MOSQUITTO_HASH = `$6$c2FsdHNhbHQ=$${'A'.repeat(86)}==`;

let scram: ScramVerifier;
beforeAll(async () => {
  scram = (await makeScramVerifier(PASSWORD)) as ScramVerifier;
});

function passwordBroker(authentication: AuthenticationMode): { broker: TestBroker; hashing: CountedHashing } {
  const hashing = new CountedHashing();
  const hash = { kind: 'argon2id', hash: fakeHash(PASSWORD) } as const;
  const directory = new MemoryDirectory(
    user('ada', hash),
    user('disabled', hash, { state: 'disabled' }),
    user('imported', { kind: 'mosquitto', hash: MOSQUITTO_HASH }),
    user('scram', scram),
    user('scram-disabled', scram, { state: 'disabled' }),
  );
  const guards = createGuards({
    directory,
    trust: { number: 1, issuers: [] },
    clock: new FakeClock(),
    limits: DEFAULT_LIMITS,
    hashing,
  });
  const broker = startTestBroker({
    authenticate: (evidence) => guards.authenticate(evidence),
    listener: { name: 'panel', authentication, role: undefined },
  });
  return { broker, hashing };
}

/** Every name with a password that is wrong, one of them the right one of a user who may not. */
const WRONG = [
  ['ada', 'wrong'],
  ['ada', `${PASSWORD} `],
  ['nobody', 'wrong'],
  ['nobody', PASSWORD],
  ['disabled', 'wrong'],
  ['disabled', PASSWORD],
  ['imported', 'wrong'],
  ['scram', PASSWORD],
] as const;

describe.each([5, 4, 3] as const)('passwords, protocol level %d', (version) => {
  it.each(['password', 'any'] as const)('one answer and one hash for every login that is wrong: %s', async (mode) => {
    const answers = new Set<string>();
    for (const [name, password] of WRONG) {
      const { broker, hashing } = passwordBroker(mode);
      const client = broker.open(version);
      client.send({
        type: 'connect',
        version,
        clientId: 'c',
        cleanStart: true,
        keepAlive: 0,
        userName: name,
        password: Buffer.from(password),
        properties: {},
      });
      const packets = await client.receiveAll();
      expect(client.closed).toBe(true);
      answers.add(JSON.stringify(packets));
      expect([name, hashing.calls]).toEqual([name, 1]);
    }
    expect([...answers]).toHaveLength(1);
    expect([...answers][0]).toContain(version === 5 ? '"reasonCode":134' : '"reasonCode":4');
  });
});

describe('SCRAM', () => {
  it.each(['scram', 'any'] as const)('one row of answers for every login that is wrong: %s', async (mode) => {
    const answers = new Set<string>();
    for (const [name, password] of [
      ['scram', 'wrong'],
      ['scram-disabled', PASSWORD],
      ['nobody', PASSWORD],
      ['ada', PASSWORD],
      ['+/#', PASSWORD],
    ] as const) {
      const { broker, hashing } = passwordBroker(mode);
      const method = new ScramClient({ name, password });
      const client = broker.open();
      const authenticationMethod = 'SCRAM-SHA-256';
      client.send({
        type: 'connect',
        version: 5,
        clientId: 'c',
        cleanStart: true,
        keepAlive: 0,
        properties: { authenticationMethod, authenticationData: method.first },
      });
      const auth = await client.receive('auth');
      const authenticationData = method.final(auth.properties.authenticationData);
      client.send({ type: 'auth', reasonCode: 0x18, properties: { authenticationMethod, authenticationData } });
      const packets = await client.receiveAll();
      const length = auth.properties.authenticationData?.length;
      answers.add(JSON.stringify([auth.reasonCode, Object.keys(auth.properties), length, packets]));
      expect(hashing.calls).toBe(0);
    }
    expect([...answers]).toHaveLength(1);
  });
});
