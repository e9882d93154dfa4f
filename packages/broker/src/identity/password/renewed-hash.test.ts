import { createHash } from 'node:crypto';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { FakeClock } from '../../../../../test/harness/fake-clock.ts';
import type { IdentityDirectory } from '../../ports/directory.ts';
import { DEFAULT_LIMITS } from '../../ports/limits.ts';
import { openRegistry } from '../../store/registry.ts';
import { CountedHashing, fakeHash, login, user } from '../../testing/logins.ts';
import { LoginThrottle } from './login-throttle.ts';
import { createPasswordProof } from './password-proof.ts';

const PASSWORD = 'correct horse battery';
const salt = Buffer.from('as salty as it gets');
const digest = createHash('sha512').update(PASSWORD).update(salt).digest('base64');
const IMPORTED = user('ada', { kind: 'mosquitto', hash: `$6$${salt.toString('base64')}$${digest}` });
const BAD = { allow: false, reason: 'bad-user-name-or-password' };

/** A login up to its last hash, and a change that is being written when that is done. */
async function during(change: (registry: IdentityDirectory) => Promise<unknown>) {
  const folder = mkdtempSync(join(tmpdir(), 'motte-renewed-'));
  try {
    const directory = openRegistry(join(folder, 'registry.json'));
    await directory.put(IMPORTED);
    const clock = new FakeClock();
    const hashing = new CountedHashing();
    const throttle = new LoginThrottle(clock);
    const proof = createPasswordProof({ directory, clock, limits: DEFAULT_LIMITS, throttle, hashing });
    const asked = () => proof(login({ userName: 'ada', password: PASSWORD }));
    hashing.hold();
    const outcome = asked();
    while (hashing.calls === 0) await new Promise(setImmediate);
    const changing = change(directory);
    hashing.release();
    const answered = await outcome;
    await changing;
    return { answered, later: await asked(), left: directory.find('password', 'ada') };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

describe('a hash that is renewed while its user is changed', () => {
  it('does not bring back one who was removed', async () => {
    const { answered, later, left } = await during((registry) => registry.remove('password', 'ada'));
    expect(left).toBeUndefined();
    expect(answered).toMatchObject(BAD);
    expect(later).toMatchObject(BAD);
  });

  it('does not let in one who was disabled', async () => {
    const { answered, left } = await during((registry) => registry.put({ ...IMPORTED, state: 'disabled' }));
    expect(left).toMatchObject({ state: 'disabled' });
    expect(answered).toMatchObject(BAD);
  });

  it('does not put the old password in place of a new one', async () => {
    const verifier = { kind: 'argon2id', hash: fakeHash('another password') } as const;
    const { answered, later, left } = await during((registry) => registry.put({ ...IMPORTED, verifier }));
    expect(left?.verifier).toEqual(verifier);
    expect(answered).toMatchObject(BAD);
    expect(later).toMatchObject(BAD);
  });
});
