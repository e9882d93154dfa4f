import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FakeClock } from '../../../../../test/harness/fake-clock.ts';
import type { Authentication } from '../../ports/guards.ts';
import { DEFAULT_LIMITS, type Limits } from '../../ports/limits.ts';
import { CountedHashing, fakeHash, type LoginFields, login, MemoryDirectory, user } from '../../testing/logins.ts';
import { ARGON2, type Hashing, isOutdated, makeDecoyHash } from './argon2.ts';
import { LoginThrottle } from './login-throttle.ts';
import { parseMosquittoHash } from './mosquitto-hash.ts';
import { createPasswordProof } from './password-proof.ts';

const PASSWORD = 'correct horse battery';
const ADA = user('ada', { kind: 'argon2id', hash: fakeHash(PASSWORD) });
const BANNED = user('bob', { kind: 'argon2id', hash: fakeHash(PASSWORD) }, { state: 'disabled' });

class World {
  readonly clock = new FakeClock();
  readonly hashing = new CountedHashing();
  readonly directory = new MemoryDirectory(ADA, BANNED);
  readonly #proof: ReturnType<typeof createPasswordProof>;

  constructor(limits: Partial<Limits> = {}, hashing?: Hashing) {
    this.#proof = createPasswordProof({
      directory: this.directory,
      clock: this.clock,
      limits: { ...DEFAULT_LIMITS, ...limits },
      throttle: new LoginThrottle(this.clock),
      hashing: hashing ?? this.hashing,
    });
  }

  login(fields: LoginFields = {}): Promise<Authentication | undefined> {
    return Promise.resolve(this.#proof(login({ userName: 'ada', password: PASSWORD, ...fields })));
  }

  /** Wrong passwords until the pair has to wait. */
  async exhaust(fields: LoginFields = {}): Promise<void> {
    for (let i = 0; i < 6; i++) await this.login({ password: 'wrong', ...fields });
  }
}

const BAD = { allow: false, reason: 'bad-user-name-or-password' };
const THROTTLED = { allow: false, reason: 'connection-rate-exceeded' };
const BUSY = { allow: false, reason: 'server-busy' };
const YES = { allow: true };

describe('who gets in', () => {
  it('the user whose password it is, as an identity of the realm', async () => {
    expect(await new World().login()).toMatchObject({
      allow: true,
      identity: { realm: 'password', name: 'ada', kind: 'user', roles: ['operator'] },
      expiresAtMs: 0,
    });
  });

  it('with the role of the listener too', async () => {
    const outcome = await new World().login({ role: 'lab' });
    expect(outcome).toMatchObject({ identity: { roles: ['operator', 'lab'] } });
  });

  it.each<[string, LoginFields, string]>([
    ['a wrong password', { password: 'wrong' }, 'not that of ada'],
    ['no such user', { userName: 'eve' }, 'no user eve'],
    ['a disabled user', { userName: 'bob' }, 'disabled'],
    ['no password', { password: undefined }, 'demands both'],
    ['an empty password', { password: '' }, 'demands both'],
    ['no user name', { userName: undefined }, 'demands both'],
    ['a name that no user has', { userName: '+/#' }, 'none that a user can have'],
    ['a name of the language', { userName: '__proto__' }, 'none that a user can have'],
    ['a name with a line of its own', { userName: 'ada\npassword' }, 'none that a user can have'],
    ['a name that is too long', { userName: 'a'.repeat(64) }, 'none that a user can have'],
    ['a password that is too long', { password: 'x'.repeat(1025) }, 'more than 1024 bytes'],
  ])('not %s', async (_what, fields, because) => {
    expect(await new World().login(fields)).toMatchObject({ ...BAD, because: expect.stringContaining(because) });
  });

  it('on a listener for something else nobody is asked', async () => {
    const world = new World();
    for (const authentication of ['certificate', 'token', 'scram', 'psk', 'none'] as const) {
      expect(await world.login({ authentication })).toBeUndefined();
    }
    expect(await world.login({ method: 'SCRAM-SHA-256' })).toBeUndefined();
    expect(await world.login({ authentication: 'any' })).toMatchObject(YES);
    expect(await world.login({ authentication: 'any', password: undefined })).toBeUndefined();
  });

  it('not one who was disabled, removed or given another password while the hash was made', async () => {
    for (const change of [
      (world: World) => world.directory.put({ ...ADA, state: 'disabled' }),
      (world: World) => world.directory.remove('password', 'ada'),
      (world: World) => world.directory.put({ ...ADA, verifier: { kind: 'argon2id', hash: fakeHash('another') } }),
    ]) {
      const world = new World();
      world.hashing.hold();
      const outcome = world.login();
      await new Promise(setImmediate);
      await change(world);
      world.hashing.release();
      expect(await outcome).toMatchObject(BAD);
    }
  });
});

describe('what it costs', () => {
  it.each<[string, LoginFields]>([
    ['a wrong password', { password: 'wrong' }],
    ['no such user', { userName: 'eve' }],
    ['a disabled user', { userName: 'bob' }],
    ['the right one', {}],
  ])('one hash for %s', async (_what, fields) => {
    const world = new World();
    await world.login(fields);
    expect(world.hashing.calls).toBe(1);
  });

  it('none for what cannot be', async () => {
    const world = new World();
    for (const fields of [{ userName: '+' }, { password: '' }, { password: 'x'.repeat(2000) }])
      await world.login(fields);
    expect(world.hashing.calls).toBe(0);
  });

  it('none for a login that was right before, until the verifier changes', async () => {
    const world = new World();
    await world.login();
    for (let i = 0; i < 100; i++) expect(await world.login({ address: `192.0.2.${i}` })).toMatchObject(YES);
    expect(world.hashing.calls).toBe(1);
    await world.directory.put({ ...ADA, verifier: { ...ADA.verifier } as typeof ADA.verifier });
    expect(await world.login()).toMatchObject(YES);
    expect(world.hashing.calls).toBe(2);
    await world.directory.put({ ...ADA, state: 'disabled' });
    expect(await world.login()).toMatchObject(BAD);
    await world.directory.put({ ...ADA, verifier: { kind: 'argon2id', hash: fakeHash('another password') } });
    expect(await world.login()).toMatchObject(BAD);
    expect(await world.login({ password: 'another password' })).toMatchObject(YES);
  });

  it('a wrong password after a right one is hashed, and does not harm the right one', async () => {
    const world = new World();
    await world.login();
    expect(await world.login({ password: 'wrong' })).toMatchObject(BAD);
    expect(world.hashing.calls).toBe(2);
    expect(await world.login()).toMatchObject(YES);
    expect(world.hashing.calls).toBe(2);
  });

  it('one at a time, over all', async () => {
    const world = new World();
    await Promise.all(
      Array.from({ length: 20 }, (_, i) => world.login({ userName: `u${i}`, address: `198.51.100.${i}` })),
    );
    expect(world.hashing.calls).toBe(20);
    expect(world.hashing.atOnceMax).toBe(1);
  });
});

describe('the queue', () => {
  it('takes so many of one source and so many of all, and serves sources in turn', async () => {
    const world = new World({ loginsWaitingMax: 12, loginsWaitingPerSourceMax: 4 });
    world.hashing.hold();
    const flood = Array.from({ length: 50 }, (_, i) => world.login({ userName: `f${i}`, password: `f${i}` }));
    const other = world.login({ address: '198.51.100.7', password: 'other' });
    await new Promise(setImmediate);
    world.hashing.release();
    await other;
    const outcomes = await Promise.all(flood);
    // One was under way, four waited.
    expect(outcomes.filter((outcome) => outcome?.allow === false && outcome.reason === 'server-busy')).toHaveLength(45);
    expect(world.hashing.hashed).toEqual(['f0', 'f1', 'other', 'f2', 'f3', 'f4']);
  });

  it('has a full half for strangers, and room for who was here before', async () => {
    const world = new World({ loginsWaitingMax: 4, loginsWaitingPerSourceMax: 8 });
    await world.login();
    world.hashing.hold();
    const flood = Array.from({ length: 10 }, (_, i) => world.login({ userName: 'eve', address: `198.51.100.${i}` }));
    const known = world.login({ password: 'wrong' });
    await new Promise(setImmediate);
    world.hashing.release();
    expect(await known).toMatchObject(BAD);
    const outcomes = await Promise.all(flood);
    expect(outcomes.filter((outcome) => outcome?.allow === false && outcome.reason === 'server-busy')).toHaveLength(7);
    // The one under way, then the lanes in turn.
    expect(world.hashing.hashed.indexOf('wrong')).toBeLessThanOrEqual(3);
  });

  it('does not hash for who waited longer than anybody waits for an answer', async () => {
    const world = new World();
    world.hashing.hold();
    const first = world.login({ password: 'wrong' });
    const late = world.login({ userName: 'eve' });
    await new Promise(setImmediate);
    world.clock.advance(DEFAULT_LIMITS.authenticateDeadlineMs + 1);
    world.hashing.release();
    await first;
    expect(await late).toMatchObject(BUSY);
    expect(world.hashing.calls).toBe(1);
  });

  it('a password is the one that came, whatever becomes of the bytes of its packet', async () => {
    const world = new World();
    world.hashing.hold();
    const first = world.login({ userName: 'eve' });
    const evidence = login({ userName: 'ada', password: PASSWORD });
    const proof = createPasswordProof({
      directory: world.directory,
      clock: world.clock,
      limits: DEFAULT_LIMITS,
      throttle: new LoginThrottle(world.clock),
      hashing: world.hashing,
    });
    const outcome = Promise.resolve(proof(evidence));
    evidence.password?.fill(0);
    world.hashing.release();
    await first;
    expect(await outcome).toMatchObject(YES);
  });
});

describe('throttling', () => {
  it('lets a pair of source and name wait after some failures, twice as long each time', async () => {
    const world = new World();
    await world.exhaust();
    expect(world.hashing.calls).toBe(6);
    expect(await world.login()).toMatchObject({ ...THROTTLED, because: expect.stringContaining('in 1 s') });
    expect(world.hashing.calls).toBe(6);
    world.clock.advance(1_001);
    expect(await world.login({ password: 'wrong' })).toMatchObject(BAD);
    world.clock.advance(1_001);
    expect(await world.login()).toMatchObject(THROTTLED);
    world.clock.advance(1_000);
    expect(await world.login()).toMatchObject(YES);
    // And begins anew.
    expect(await world.login({ password: 'wrong' })).toMatchObject(BAD);
  });

  it('does not wait longer than a minute', async () => {
    const world = new World();
    for (let i = 0; i < 40; i++) {
      await world.login({ password: 'wrong' });
      world.clock.advance(60_001);
    }
    expect(await world.login()).toMatchObject(YES);
  });

  it('harms neither another source nor another name', async () => {
    const world = new World();
    await world.exhaust();
    expect(await world.login({ address: '198.51.100.7' })).toMatchObject(YES);
    expect(await world.login({ userName: 'eve' })).toMatchObject(BAD);
    expect(await world.login()).toMatchObject(THROTTLED);
  });

  it('counts a network of IPv6 as one source', async () => {
    const world = new World();
    for (let i = 0; i < 6; i++) await world.login({ password: 'wrong', address: `2001:db8::${i}` });
    expect(await world.login({ address: '2001:db8::ffff' })).toMatchObject(THROTTLED);
    expect(await world.login({ address: '2001:db8:0:1::1' })).toMatchObject(YES);
  });

  it('looks the same for a name that nobody has', async () => {
    const world = new World();
    await world.exhaust({ userName: 'eve' });
    const one = await world.login({ userName: 'eve' });
    await world.exhaust();
    const other = await world.login();
    expect(one).toMatchObject(THROTTLED);
    expect(other).toMatchObject(THROTTLED);
  });

  it('ends with a new password', async () => {
    const world = new World();
    await world.exhaust();
    await world.directory.put({ ...ADA, verifier: { kind: 'argon2id', hash: fakeHash('another password') } });
    expect(await world.login({ password: 'another password' })).toMatchObject(YES);
  });

  it('does not hash for those who already wait once their pair has failed too often', async () => {
    const world = new World({ loginsWaitingPerSourceMax: 20 });
    await Promise.all(Array.from({ length: 20 }, () => world.login({ password: 'wrong' })));
    expect(world.hashing.calls).toBe(6);
  });
});

describe('argon2', () => {
  it('verifies what it made, and nothing else', async () => {
    const hash = await ARGON2.hash(Buffer.from(PASSWORD));
    expect(hash).toMatch(/^\$argon2id\$v=19\$m=19456,t=2,p=1\$/);
    expect(isOutdated(hash)).toBe(false);
    expect(await ARGON2.verify(hash, Buffer.from(PASSWORD))).toBe(true);
    expect(await ARGON2.verify(hash, Buffer.from(`${PASSWORD} `))).toBe(false);
    expect(await ARGON2.verify('$argon2id$nonsense', Buffer.from(PASSWORD))).toBe(false);
  });

  it('the decoy is a hash like any other', async () => {
    const decoy = makeDecoyHash();
    const hash = await ARGON2.hash(Buffer.from(PASSWORD));
    const shape = (text: string) => text.split('$').map((part) => part.length);
    expect(shape(decoy)).toEqual(shape(hash));
    expect(await ARGON2.verify(decoy, Buffer.from(PASSWORD))).toBe(false);
    expect(isOutdated(decoy)).toBe(false);
  });
});

describe('hashes of mosquitto', () => {
  const lacks = (process.env['MOTTE_TEST_LACKS'] ?? '').split(',').includes('mosquitto');

  /** As mosquitto_passwd writes it. */
  function mosquittoHash(kind: 'sha512' | 'sha512-pbkdf2'): string {
    const folder = mkdtempSync(join(tmpdir(), 'motte-passwd-'));
    try {
      const file = join(folder, 'passwd');
      execFileSync('mosquitto_passwd', ['-H', kind, '-c', '-b', file, 'ada', PASSWORD], { stdio: 'ignore' });
      return readFileSync(file, 'utf8').trim().replace(/^ada:/, '');
    } finally {
      rmSync(folder, { recursive: true, force: true });
    }
  }

  it.skipIf(lacks).each(['sha512', 'sha512-pbkdf2'] as const)('%s verifies once and is argon2id then', async (kind) => {
    const hash = mosquittoHash(kind);
    expect(hash).toMatch(kind === 'sha512' ? /^\$6\$/ : /^\$7\$/);
    const world = new World({}, ARGON2);
    await world.directory.put(user('ada', { kind: 'mosquitto', hash }));
    expect(await world.login({ password: 'wrong' })).toMatchObject(BAD);
    expect(world.directory.find('password', 'ada')?.verifier).toEqual({ kind: 'mosquitto', hash });
    expect(await world.login()).toMatchObject(YES);
    const { verifier, roles } = world.directory.find('password', 'ada') ?? {};
    expect(verifier).toMatchObject({ kind: 'argon2id', hash: expect.stringMatching(/^\$argon2id\$/) });
    expect(roles).toEqual(['operator']);
    expect(await world.login()).toMatchObject(YES);
    expect(await new World({}, ARGON2).login({ password: 'wrong' })).toMatchObject(BAD);
  });

  it.skipIf(lacks)('cost one argon2 as well, right or wrong', async () => {
    const world = new World();
    await world.directory.put(user('ada', { kind: 'mosquitto', hash: mosquittoHash('sha512') }));
    await world.login({ password: 'wrong' });
    expect(world.hashing.calls).toBe(1);
    await world.login();
    expect(world.hashing.calls).toBe(2);
  });

  it('an argon2id hash of other parameters is replaced too', async () => {
    const world = new World();
    const [, , , , salt, digest] = fakeHash(PASSWORD).split('$');
    const verify: Hashing['verify'] = async (_hash, password) => Buffer.from(password).toString() === PASSWORD;
    const other = new World({}, { hash: (password) => world.hashing.hash(password), verify });
    await other.directory.put(
      user('ada', { kind: 'argon2id', hash: `$argon2id$v=19$m=47104,t=1,p=1$${salt}$${digest}` }),
    );
    expect(await other.login()).toMatchObject(YES);
    expect(other.directory.find('password', 'ada')?.verifier).toEqual({ kind: 'argon2id', hash: fakeHash(PASSWORD) });
  });

  const GOOD = `${'A'.repeat(86)}==`;
  it.each([
    ['$5$AAAA$', GOOD],
    ['$6$AAAA$', 'AAAA'],
    ['$6$$', GOOD],
    ['$6$AA AA$', GOOD],
    ['$7$AAAA$', GOOD],
    ['$7$0$AAAA$', GOOD],
    ['$7$-1$AAAA$', GOOD],
    ['$7$9999999$AAAA$', GOOD],
    ['$7$1e3$AAAA$', GOOD],
    ['', GOOD],
  ])('%s… is none', (start, end) => {
    expect(parseMosquittoHash(`${start}${end}`)).toBeUndefined();
  });
});
