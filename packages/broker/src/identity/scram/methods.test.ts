import { pbkdf2Sync } from 'node:crypto';
import { beforeAll, describe, expect, it } from 'vitest';
import { FakeClock } from '../../../../../test/harness/fake-clock.ts';
import type { Authentication, Challenge, Evidence, Proven } from '../../ports/guards.ts';
import { type LoginFields, login, MemoryDirectory, user } from '../../testing/logins.ts';
import { ScramClient, type ScramClientOptions } from '../../testing/scram-client.ts';
import { LoginThrottle } from '../password/login-throttle.ts';
import { keysOf, makeScramVerifier, type ScramVerifier } from './keys.ts';
import { createScramMethods, demandScram } from './methods.ts';

const PASSWORD = 'correct horse battery';
const BINDING = Buffer.alloc(32, 7);
const TLS_13 = {
  protocol: 'TLSv1.3',
  cipher: '',
  resumed: false,
  serverName: undefined,
  certificate: undefined,
  fingerprint: undefined,
  groups: '',
  channelBinding: () => BINDING,
};
const PLUS = { method: 'SCRAM-SHA-256-PLUS', gs2Header: 'p=tls-exporter,,', binding: BINDING, tls: TLS_13 } as const;

let verifier: ScramVerifier;
beforeAll(async () => {
  verifier = (await makeScramVerifier(PASSWORD)) as ScramVerifier;
});

type Fields = Partial<ScramClientOptions> & Pick<LoginFields, 'method' | 'tls' | 'address' | 'role'>;

class World {
  readonly clock = new FakeClock();
  readonly directory = new MemoryDirectory(user('ada', verifier), user('bob', verifier, { state: 'disabled' }));
  readonly #methods = createScramMethods({ directory: this.directory, throttle: new LoginThrottle(this.clock) });

  begin(client: ScramClient, fields: Fields = {}, base?: Proven): Authentication | Promise<Authentication> {
    const { method = 'SCRAM-SHA-256', tls, address, role } = fields;
    return this.ask(
      login({
        authentication: 'scram',
        method,
        data: client.first,
        tls,
        ...(address === undefined ? {} : { address }),
        ...(role === undefined ? {} : { role }),
      }),
      base,
    );
  }

  ask(evidence: Evidence, base?: Proven): Authentication | Promise<Authentication> {
    const method = this.#methods.get(evidence.method ?? '');
    if (method === undefined) throw new Error('no such method');
    return method(evidence, base);
  }

  async run(fields: Fields = {}, change?: Parameters<ScramClient['final']>[1]): Promise<Authentication> {
    const client = new ScramClient({ name: 'ada', password: PASSWORD, ...fields });
    const challenge = await this.begin(client, fields);
    if (challenge.allow !== 'challenge') return challenge;
    const outcome = await challenge.respond(client.final(challenge.data, change));
    if (outcome.allow === true && Buffer.from(outcome.data ?? []).toString() !== client.signature) {
      throw new Error('the broker did not prove that it knows the user');
    }
    return outcome;
  }
}

const NO = { allow: false, reason: 'not-authorized', rule: 'identity.scram' };
const because = (text: string) => ({ ...NO, because: expect.stringContaining(text) });

describe('the example of RFC 7677, 3', () => {
  const salt = 'W22ZaJ0SNY7soEsUEjb6gQ==';
  const salted = pbkdf2Sync('pencil', Buffer.from(salt, 'base64'), 4096, 32, 'sha256');
  const keys = keysOf(salted);
  const pencil: ScramVerifier = {
    kind: 'scram-sha-256',
    salt,
    iterations: 4096,
    storedKey: keys.storedKey.toString('base64'),
    serverKey: keys.serverKey.toString('base64'),
  };
  const methods = createScramMethods({
    directory: new MemoryDirectory(user('user', pencil)),
    throttle: new LoginThrottle(new FakeClock()),
    nonce: () => '%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0',
  });

  async function run(final: string): Promise<Authentication> {
    const data = Buffer.from('n,,n=user,r=rOprNGfwEbeRWgbNEkqO');
    const method = methods.get('SCRAM-SHA-256');
    const challenge = (await method?.(login({ method: 'SCRAM-SHA-256', data }), undefined)) as Challenge;
    expect(Buffer.from(challenge.data ?? []).toString()).toBe(
      'r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,s=W22ZaJ0SNY7soEsUEjb6gQ==,i=4096',
    );
    return challenge.respond(Buffer.from(final));
  }

  it('ends with the signature that stands there', async () => {
    const outcome = await run(
      'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVQ=',
    );
    expect(outcome).toMatchObject({ allow: true, identity: { realm: 'scram', name: 'user', kind: 'user' } });
    expect(Buffer.from((outcome as Proven).data ?? []).toString()).toBe(
      'v=6rriTRBi23WpRR/wtup+mMhUZUn/dB5nLTJRsjl95G4=',
    );
  });

  it('fails with any other proof', async () => {
    const outcome = await run(
      'c=biws,r=rOprNGfwEbeRWgbNEkqO%hvYDpWUa2RaTCAfuxFIlj)hNlF$k0,p=dHzbZapWIk4jUhN+Ute9ytag9zjfMHgsqmmiz7AndVU=',
    );
    expect(outcome).toMatchObject(NO);
  });
});

describe('who gets in', () => {
  it('who knows the password, with the roles of the registry and the listener', async () => {
    expect(await new World().run({ role: 'lab' })).toMatchObject({
      allow: true,
      identity: { realm: 'scram', name: 'ada', roles: ['operator', 'lab'] },
      expiresAtMs: 0,
    });
  });

  it('bound to its channel', async () => {
    expect(await new World().run(PLUS)).toMatchObject({ allow: true });
  });

  it('who can bind, where the broker cannot', async () => {
    expect(await new World().run({ gs2Header: 'y,,' })).toMatchObject({ allow: true });
  });

  it('who asks to act as itself', async () => {
    expect(await new World().run({ gs2Header: 'n,a=ada,' })).toMatchObject({ allow: true });
  });

  it('who keeps SASLprep: a soft hyphen is nothing', async () => {
    const world = new World();
    const made = (await makeScramVerifier('corr\u00adect horse')) as ScramVerifier;
    await world.directory.put(user('eve', made));
    expect(await world.run({ name: 'eve', password: 'correct horse' })).toMatchObject({ allow: true });
  });

  it.each<[string, Fields, string]>([
    ['a wrong password', { password: 'wrong' }, 'does not fit the password of ada'],
    ['no such user', { name: 'eve' }, 'no user "eve"'],
    ['a name that no user has', { name: 'a,b=c/#' }, 'no user "a,b=c/#"'],
    ['a name of the language', { name: '__proto__' }, 'no user "__proto__"'],
    ['a disabled user', { name: 'bob' }, 'bob is disabled'],
    ['somebody who would act as another', { gs2Header: 'n,a=root,' }, 'act as somebody else'],
  ])('not %s', async (_what, fields, text) => {
    expect(await new World().run(fields)).toMatchObject(because(text));
  });

  it('not one who was disabled, removed or given another password during the exchange', async () => {
    for (const change of [
      (world: World) => world.directory.put(user('ada', verifier, { state: 'disabled' })),
      (world: World) => world.directory.remove('scram', 'ada'),
      (world: World) => world.directory.put(user('ada', { ...verifier })),
    ]) {
      const world = new World();
      const client = new ScramClient({ name: 'ada', password: PASSWORD });
      const challenge = (await world.begin(client)) as Challenge;
      await change(world);
      expect(await challenge.respond(client.final(challenge.data))).toMatchObject(NO);
    }
  });

  it('not where another proof came first', async () => {
    const identity = { realm: 'ca:motte', name: 'ada', kind: 'device', roles: [] } as const;
    const base: Proven = { allow: true, identity, data: undefined, expiresAtMs: 0 };
    const client = new ScramClient({ name: 'ada', password: PASSWORD });
    expect(await new World().begin(client, {}, base)).toMatchObject({ reason: 'bad-authentication-method' });
  });

  it('without a method is told so, on a listener for SCRAM alone', () => {
    expect(demandScram(login({ authentication: 'scram', userName: 'ada', password: PASSWORD }))).toMatchObject({
      reason: 'not-authorized',
      because: expect.stringContaining('SCRAM-SHA-256'),
    });
    expect(demandScram(login({ authentication: 'scram', method: 'SCRAM-SHA-256' }))).toBeUndefined();
    expect(demandScram(login({ authentication: 'any' }))).toBeUndefined();
  });
});

describe('the channel', () => {
  it.each<[string, Fields, string]>([
    ['the offer of a binding was hidden from the client', { gs2Header: 'y,,', tls: TLS_13 }, 'somebody told it so'],
    ['a binding without the method for it', { gs2Header: 'p=tls-exporter,,', tls: TLS_13 }, 'means SCRAM-SHA-256-PLUS'],
    [
      'the method without a binding',
      { ...PLUS, gs2Header: 'n,,', binding: Buffer.alloc(0) },
      'without a channel binding',
    ],
    ['the method with a binding denied', { ...PLUS, gs2Header: 'y,,', binding: Buffer.alloc(0) }, 'without a channel'],
    ['another binding', { ...PLUS, gs2Header: 'p=tls-unique,,' }, '"tls-unique" is not known'],
    ['a channel that has none', { ...PLUS, tls: { ...TLS_13, channelBinding: undefined } }, 'needs TLS 1.3'],
    ['no TLS at all', { ...PLUS, tls: undefined }, 'needs TLS 1.3'],
    ['the channel of somebody between', { ...PLUS, binding: Buffer.alloc(32, 8) }, 'another channel'],
  ])('%s: refused', async (_what, fields, text) => {
    expect(await new World().run(fields)).toMatchObject(because(text));
  });

  it('stripped from the final message: refused', async () => {
    const header = Buffer.from('p=tls-exporter,,');
    expect(await new World().run(PLUS, { channel: header })).toMatchObject(because('another channel'));
    expect(await new World().run(PLUS, { channel: Buffer.from('n,,') })).toMatchObject(because('another channel'));
  });

  it('a header that differs from the first: refused', async () => {
    expect(await new World().run({}, { channel: Buffer.from('y,,') })).toMatchObject(because('another channel'));
  });
});

describe('an attacker learns nothing', () => {
  async function saltOf(world: World, name: string): Promise<string> {
    const challenge = (await world.begin(new ScramClient({ name, password: '' }))) as Challenge;
    return Buffer.from(challenge.data ?? [])
      .toString()
      .replace(/^r=[^,]+,/, '');
  }

  it('a name that does not exist has a salt of its own that stays, also in another process', async () => {
    const world = new World();
    const eve = await saltOf(world, 'eve');
    expect(eve).toMatch(/^s=[A-Za-z0-9+/]{22}==,i=100000$/);
    expect(await saltOf(world, 'eve')).toBe(eve);
    expect(await saltOf(world, 'eva')).not.toBe(eve);
    expect(await saltOf(world, 'ada')).toMatch(/^s=[A-Za-z0-9+/]{22}==,i=100000$/);
    const directory = Object.assign(new MemoryDirectory(), { decoyKey: Buffer.alloc(32, 1) });
    const again = () => {
      const method = createScramMethods({ directory, throttle: new LoginThrottle(new FakeClock()) }).get(
        'SCRAM-SHA-256',
      );
      const data = new ScramClient({ name: 'eve', password: '' }).first;
      return method?.(login({ method: 'SCRAM-SHA-256', data }), undefined) as Challenge;
    };
    const [one, other] = [again(), again()].map(({ data }) =>
      Buffer.from(data ?? [])
        .toString()
        .replace(/^r=[^,]+,/, ''),
    );
    expect(one).toBe(other);
  });

  it('every failure at the proof is the same refusal', async () => {
    const outcomes = await Promise.all(
      [{ password: 'wrong' }, { name: 'eve' }, { name: 'bob' }, { name: '+/#' }].map((fields) =>
        new World().run(fields),
      ),
    );
    expect(new Set(outcomes.map((outcome) => outcome.allow === false && outcome.reason))).toEqual(
      new Set(['not-authorized']),
    );
  });

  it('the nonce is another one each time, and the client’s is part of it', async () => {
    const world = new World();
    const nonces = new Set<string>();
    for (let i = 0; i < 50; i++) {
      const client = new ScramClient({ name: 'ada', password: PASSWORD, nonce: 'fixed' });
      const challenge = (await world.begin(client)) as Challenge;
      nonces.add(Buffer.from(challenge.data ?? []).toString());
    }
    expect(nonces.size).toBe(50);
  });

  it('an answer to another exchange, or with a nonce of its own, is refused', async () => {
    const world = new World();
    const client = new ScramClient({ name: 'ada', password: PASSWORD, nonce: 'fixed' });
    const first = (await world.begin(client)) as Challenge;
    const second = (await world.begin(client)) as Challenge;
    expect(await second.respond(client.final(first.data))).toMatchObject(because('another nonce'));
    expect(await world.run({}, { nonce: 'fixed' })).toMatchObject(because('another nonce'));
  });

  it('who guesses waits, for that name from that place', async () => {
    const world = new World();
    for (let i = 0; i < 6; i++) await world.run({ password: 'wrong' });
    expect(await world.run()).toMatchObject({ reason: 'connection-rate-exceeded' });
    expect(await world.run({ address: '198.51.100.7' })).toMatchObject({ allow: true });
    for (let i = 0; i < 6; i++) await world.run({ name: `,${i}` });
    expect(await world.run({ name: ',x' })).toMatchObject({ reason: 'connection-rate-exceeded' });
  });

  it('who has begun many exchanges before the first one failed guesses no more often', async () => {
    const world = new World();
    const begun = await Promise.all(
      Array.from({ length: 20 }, async (_, n) => {
        const client = new ScramClient({ name: 'ada', password: n === 19 ? PASSWORD : `guess ${n}` });
        return { client, challenge: (await world.begin(client)) as Challenge };
      }),
    );
    const reasons: string[] = [];
    for (const { client, challenge } of begun) {
      const outcome = await challenge.respond(client.final(challenge.data));
      reasons.push(outcome.allow === false ? outcome.reason : 'none');
    }
    expect(reasons).toEqual([...Array(6).fill('not-authorized'), ...Array(14).fill('connection-rate-exceeded')]);
  });
});

describe('what is no message', () => {
  it.each([
    '',
    'n',
    'n,,',
    'n,,n=ada',
    'n,,r=abc',
    'n,,r=abc,n=ada',
    'n,,n=,r=abc',
    'n,,n=ada,r=',
    'x,,n=ada,r=abc',
    'n,n=ada,r=abc',
    'N,,n=ada,r=abc',
    'p=,,n=ada,r=abc',
    'p=tls exporter,,n=ada,r=abc',
    'n,b=ada,n=ada,r=abc',
    'n,,m=must,n=ada,r=abc',
    'n,,n=a=2Dda,r=abc',
    'n,,n=ada=,r=abc',
    'n,,n=ada,r=a b',
    'n,,n=ada,r=ä',
    'n,,n=ada,r=abc,',
    'n,,n=ada,r=abc,xx=1',
    '\ufeffn,,n=ada,r=abc',
    `n,,n=ada,r=${'a'.repeat(2048)}`,
  ])('a first one that is %j', async (text) => {
    const evidence = login({ method: 'SCRAM-SHA-256', data: Buffer.from(text) });
    expect(await new World().ask(evidence)).toMatchObject(because('first SCRAM message'));
  });

  it.each([undefined, Buffer.from([0x6e, 0x2c, 0xff])])('a first one of no text', async (data) => {
    const evidence = { ...login({ method: 'SCRAM-SHA-256' }), data };
    expect(await new World().ask(evidence)).toMatchObject(because('first SCRAM message'));
  });

  it('the final one changed at any place is refused, and none of it throws', async () => {
    const world = new World();
    const client = new ScramClient({ name: 'ada', password: PASSWORD });
    const challenge = (await world.begin(client)) as Challenge;
    const good = client.final(challenge.data);
    for (let i = 0; i < good.length; i++) {
      for (const bad of [good.subarray(0, i), changed(good, i, 0x01), changed(good, i, 0x80)]) {
        expect(await challenge.respond(bad)).toMatchObject(NO);
        // As a wrong password each counts for the next one.
        world.clock.advance(60_000);
      }
    }
    expect(await challenge.respond(undefined)).toMatchObject(because('final SCRAM message'));
    expect(await challenge.respond(Buffer.from(`${good.toString()},x=1`))).toMatchObject(NO);
    expect(await challenge.respond(Buffer.from(good.toString().replace(',p=', ',m=1,p=')))).toMatchObject(NO);
    world.clock.advance(60_000);
    expect(await challenge.respond(good)).toMatchObject({ allow: true });
  });
});

function changed(bytes: Uint8Array, at: number, bits: number): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[at] = (copy[at] as number) ^ bits;
  return copy;
}
