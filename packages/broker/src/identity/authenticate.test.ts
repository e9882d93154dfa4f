import { afterEach, describe, expect, it, vi } from 'vitest';
import type { Authentication, Challenge, Evidence, Proven } from '../ports/guards.ts';
import { refuse } from '../ports/verdict.ts';
import { createAuthenticate, type Proof } from './authenticate.ts';
import { type AuthenticationMethod, firstOf, proofOf } from './methods.ts';

const EVIDENCE: Evidence = {
  facts: {
    id: 1,
    listener: {
      name: 'devices',
      scheme: 'mqtts',
      authentication: 'certificate',
      role: undefined,
      clientIds: 'own',
      versions: [5],
    },
    address: '',
    port: 0,
    tls: undefined,
    openedAtMs: 0,
  },
  clientId: 'pump-1',
  userName: undefined,
  password: undefined,
  method: undefined,
  data: undefined,
};

function proven(name: string, fields: Partial<Proven> = {}): Proven {
  return {
    allow: true,
    identity: { realm: 'ca:motte', name, kind: 'device', roles: [] },
    data: undefined,
    expiresAtMs: 0,
    ...fields,
  };
}

const NO = refuse('banned', 'no', 'rule');

function guard(proofs: readonly Proof[], atOnceMax = 8): (evidence: Evidence) => Promise<Authentication> {
  return createAuthenticate({ proofs, deadlineMs: 5_000, atOnceMax });
}

afterEach(() => void vi.useRealTimers());

describe('composition', () => {
  it.each<[string, readonly Proof[], unknown]>([
    ['nothing asked is a no', [], { reason: 'not-authorized', because: 'nothing proves who this is' }],
    ['all silent is a no', [() => undefined, async () => undefined], { reason: 'not-authorized' }],
    ['one yes is a yes', [() => undefined, () => proven('a'), async () => undefined], { identity: { name: 'a' } }],
    ['any no wins, before', [() => NO, () => proven('a')], { reason: 'banned' }],
    ['any no wins, behind', [() => proven('a'), async () => NO], { reason: 'banned' }],
    ['the first names the identity', [async () => proven('a'), () => proven('b')], { identity: { name: 'a' } }],
    [
      'the earlier end counts',
      [() => proven('a', { expiresAtMs: 9 }), () => proven('b', { expiresAtMs: 5 })],
      { expiresAtMs: 5 },
    ],
    ['no end is none', [() => proven('a', { expiresAtMs: 9 }), () => proven('b')], { expiresAtMs: 9 }],
  ])('%s', async (_what, proofs, outcome) => {
    expect(await guard(proofs)(EVIDENCE)).toMatchObject(outcome as object);
  });

  it('takes a proof that throws for a no, synchronous or not', async () => {
    const broken = guard([
      () => {
        throw new Error('no directory');
      },
    ]);
    expect(await broken(EVIDENCE)).toMatchObject({
      allow: false,
      reason: 'unspecified-error',
      because: expect.stringContaining('no directory'),
    });
    expect(await guard([() => Promise.reject(new Error('gone'))])(EVIDENCE)).toMatchObject({ allow: false });
  });

  it('takes one that does not answer in time for a no', async () => {
    vi.useFakeTimers();
    const outcome = guard([() => proven('a'), () => new Promise(() => undefined)])(EVIDENCE);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(await outcome).toMatchObject({
      allow: false,
      reason: 'server-unavailable',
      rule: 'limits.authenticateDeadlineMs',
    });
    expect(vi.getTimerCount()).toBe(0);
  });

  it('makes no timer for proofs that answer at once', async () => {
    vi.useFakeTimers();
    const outcome = guard([() => proven('a')])(EVIDENCE);
    expect(vi.getTimerCount()).toBe(0);
    expect((await outcome).allow).toBe(true);
  });
});

describe('many at once', () => {
  it('run in order, no more than allowed at a time', async () => {
    let running = 0;
    let most = 0;
    const slow = guard(
      [
        async () => {
          most = Math.max(most, ++running);
          await new Promise((resolve) => setImmediate(resolve));
          running--;
          return proven('a');
        },
      ],
      3,
    );
    const outcomes = await Promise.all(Array.from({ length: 20 }, () => slow(EVIDENCE)));
    expect(outcomes.every(({ allow }) => allow === true)).toBe(true);
    expect(most).toBe(3);
  });

  it('wait no longer than the deadline, and not in a row without end', async () => {
    vi.useFakeTimers();
    const stuck = guard([() => new Promise(() => undefined)], 1);
    const outcomes = Array.from({ length: 40 }, () => stuck(EVIDENCE));
    // One inside, 32 waiting: the last seven are told at once.
    for (const outcome of outcomes.slice(33)) expect(await outcome).toMatchObject({ reason: 'server-busy' });
    await vi.advanceTimersByTimeAsync(15_000);
    for (const outcome of await Promise.all(outcomes.slice(0, 33))) expect(outcome.allow).toBe(false);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('enhanced authentication', () => {
  /** Sends a number and wants its double back; then, one round later, the number itself. */
  const double: AuthenticationMethod = (evidence, base) => ({
    allow: 'challenge',
    data: evidence.data,
    respond: async (answer) =>
      answer?.[0] !== (evidence.data?.[0] ?? 0) * 2
        ? refuse('not-authorized', 'not the double', 'toy')
        : {
            allow: 'challenge',
            data: answer,
            respond: async (last) =>
              last?.[0] === evidence.data?.[0] ? { ...(base as Proven), data: Uint8Array.of(1), expiresAtMs: 7 } : NO,
          },
  });
  const methods = new Map<string, AuthenticationMethod>([
    ['double', double],
    ['liar', () => proven('someone-else')],
    ['hang', () => ({ allow: 'challenge', data: undefined, respond: () => new Promise(() => undefined) })],
  ]);
  const authenticate = guard([proofOf(() => proven('a'), methods)]);
  const asking = (method: string): Evidence => ({ ...EVIDENCE, method, data: Uint8Array.of(21) });

  it('[MQTT-4.12.0-1] refuses a method that there is not', async () => {
    expect(await authenticate(asking('SCRAM-SHA-256'))).toMatchObject({
      reason: 'bad-authentication-method',
      because: 'there is no authentication method "SCRAM-SHA-256" here',
    });
    expect(await guard([proofOf(() => NO, methods)])(asking('double'))).toMatchObject({ reason: 'banned' });
  });

  it('goes as many rounds as the method wants', async () => {
    const first = (await authenticate(asking('double'))) as Challenge;
    expect(first).toMatchObject({ allow: 'challenge', data: Uint8Array.of(21) });
    const second = (await first.respond(Uint8Array.of(42))) as Challenge;
    expect(second).toMatchObject({ allow: 'challenge', data: Uint8Array.of(42) });
    expect(await second.respond(Uint8Array.of(21))).toMatchObject({
      identity: { name: 'a' },
      data: Uint8Array.of(1),
      expiresAtMs: 7,
    });
    expect(await second.respond(Uint8Array.of(20))).toMatchObject({ reason: 'banned' });
    expect(await first.respond(undefined)).toMatchObject({ because: 'not the double' });
  });

  it('cannot change who was proven', async () => {
    expect(await authenticate(asking('liar'))).toMatchObject({ allow: false, rule: 'identity.methods' });
  });

  it('still asks the proofs behind it when the last round is done', async () => {
    const strict = guard([proofOf(() => proven('a'), methods), () => NO]);
    const first = (await strict(asking('double'))) as Challenge;
    const second = (await first.respond(Uint8Array.of(42))) as Challenge;
    expect(await second.respond(Uint8Array.of(21))).toMatchObject({ reason: 'banned' });
  });

  it('has the deadline in every round', async () => {
    vi.useFakeTimers();
    const first = (await authenticate(asking('hang'))) as Challenge;
    const outcome = first.respond(undefined);
    await vi.advanceTimersByTimeAsync(5_000);
    expect(await outcome).toMatchObject({ reason: 'server-unavailable' });
  });
});

describe('proofs beside one another', () => {
  const facts = (authentication: string) => ({ listener: { authentication } }) as Evidence['facts'];

  it('the first that is not silent decides, whichever of them takes time', async () => {
    const later = firstOf([() => undefined, async () => undefined, async () => proven('b'), () => proven('c')]);
    expect(await later(EVIDENCE)).toMatchObject({ allow: true, identity: { name: 'b' } });
    expect(await firstOf([async () => NO, () => proven('c')])(EVIDENCE)).toBe(NO);
    expect(firstOf([() => undefined])(EVIDENCE)).toBeUndefined();
  });

  it('a method alone proves only where the listener takes methods', async () => {
    const methods = new Map<string, AuthenticationMethod>([['m', () => proven('user')]]);
    const ask = guard([proofOf(() => undefined, methods)]);
    for (const authentication of ['scram', 'any']) {
      expect(await ask({ ...EVIDENCE, facts: facts(authentication), method: 'm' })).toMatchObject({ allow: true });
    }
    for (const authentication of ['password', 'token', 'psk', 'certificate']) {
      const outcome = await ask({ ...EVIDENCE, facts: facts(authentication), method: 'm' });
      expect(outcome).toMatchObject({ allow: false, reason: 'bad-authentication-method' });
    }
    expect(await ask({ ...EVIDENCE, facts: facts('scram') })).toMatchObject({ allow: false, reason: 'not-authorized' });
  });
});
