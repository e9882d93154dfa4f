import { expect, it } from 'vitest';
import { FakeClock } from '../../../../test/harness/fake-clock.ts';
import type { Verifier } from '../ports/directory.ts';
import { DEFAULT_LIMITS } from '../ports/limits.ts';
import { login, MemoryDirectory, user } from '../testing/logins.ts';
import { isOutdated } from './password/argon2.ts';
import { LoginThrottle } from './password/login-throttle.ts';
import { createPasswordProof } from './password/password-proof.ts';
import { verifierOfMosquitto } from './verifiers.ts';

const PASSWORD = 'correct horse battery';
/** By the reference implementation: `printf 'correct horse battery' | argon2 'sixteen bytes of' -id -t 1 -k 47104 -p 1 -l 64 -e`. */
const HASH =
  '$argon2id$v=19$m=47104,t=1,p=1$c2l4dGVlbiBieXRlcyBvZg$DuUOJcYsjqHEa1T6XKnXR5CN0C96rugtXyqFeXyXoFucKVVscMulcnL5PecnuPE7LKTub2cJZ55j+1+TDoaK9g';

it('an argon2id hash of another program is good for one login, and is one of ours then', async () => {
  const verifier = verifierOfMosquitto(HASH) as Verifier;
  expect(verifier).toEqual({ kind: 'argon2id', hash: HASH });
  const clock = new FakeClock();
  const directory = new MemoryDirectory(user('ada', verifier));
  const throttle = new LoginThrottle(clock);
  const proof = createPasswordProof({ directory, clock, limits: DEFAULT_LIMITS, throttle });
  const loginWith = async (password: string) => proof(login({ userName: 'ada', password }));
  expect(await loginWith('wrong')).toMatchObject({ allow: false, reason: 'bad-user-name-or-password' });
  expect(directory.find('password', 'ada')?.verifier).toEqual(verifier);
  clock.advance(60_000);
  for (let n = 0; n < 2; n++) expect(await loginWith(PASSWORD)).toMatchObject({ allow: true });
  const renewed = directory.find('password', 'ada')?.verifier;
  expect(renewed?.kind === 'argon2id' && !isOutdated(renewed.hash)).toBe(true);
});

const SALTED = '$c2FsdHNhbHQ$c2FsdHNhbHRzYWx0c2FsdA';
it.each([
  ['m=131072,t=3,p=4', true],
  ['m=131073,t=1,p=1', false],
  ['m=65536,t=7,p=1', false],
  ['m=16,t=1,p=4', false],
  ['m=0,t=1,p=1', false],
  ['m=47104,t=0,p=1', false],
  ['m=47104,t=1,p=10', false],
  ['m=47104,t=1', false],
  ['m=4e4,t=1,p=1', false],
  ['m=47104,t=1,p=1$', false],
])('argon2id with %s can be checked: %s', (parameters, can) => {
  expect(verifierOfMosquitto(`$argon2id$v=19$${parameters}${SALTED}`) !== undefined).toBe(can);
  expect(verifierOfMosquitto(`$argon2i$v=19$${parameters}${SALTED}`)).toBeUndefined();
  expect(verifierOfMosquitto(`$argon2id$v=16$${parameters}${SALTED}`)).toBeUndefined();
});
