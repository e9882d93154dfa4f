// What administrators do to users, on a registry in memory.

import { builtInPolicy } from '@motte/broker/policy';
import { describe, expect, it } from 'vitest';
import type { BrokerEvent } from '../../../broker/src/events.ts';
import { MemoryDirectory, user } from '../../../broker/src/testing/logins.ts';
import { checkNewPassword } from './new-password.ts';
import { createUsers } from './users.ts';

const PASSWORD = 'correct horse battery';

function world() {
  const directory = new MemoryDirectory();
  const ended: unknown[] = [];
  const events: BrokerEvent[] = [];
  const users = createUsers({
    directory,
    endConnections: (who) => {
      ended.push([who, directory.find(who.realm, who.name)?.verifier]);
      return 2;
    },
    ended: async (who) => {
      ended.push([who, directory.find(who.realm, who.name)]);
      return { connections: 2, sessions: 1 };
    },
    connections: ({ name }) => (name === 'ada' ? 3 : 0),
    told: (event) => events.push(event),
    policy: builtInPolicy,
  });
  return { directory, ended, events, users };
}

describe('a user', () => {
  it('is added in one realm, with a verifier that is not shown', async () => {
    const { directory, users, events } = world();
    const row = await users.add({ name: 'ada', realm: 'password', roles: ['operator'], password: PASSWORD });
    expect(row).toEqual({
      name: 'ada',
      realm: 'password',
      roles: ['operator'],
      state: 'active',
      addedAtMs: expect.any(Number),
      connections: 0,
    });
    await users.add({ name: 'bob', realm: 'scram', roles: [], password: PASSWORD });
    expect(directory.find('password', 'ada')?.verifier).toMatchObject({ kind: 'argon2id' });
    expect(directory.find('scram', 'bob')?.verifier).toMatchObject({ kind: 'scram-sha-256', iterations: 100_000 });
    expect(users.list().map(({ name, realm, connections }) => [name, realm, connections])).toEqual([
      ['ada', 'password', 3],
      ['bob', 'scram', 0],
    ]);
    expect(JSON.stringify([users.list(), events])).not.toMatch(/argon2id|salt|Key|horse/);
  });

  it('has a name of its own over both realms, also when two ask at once', async () => {
    const { users, directory } = world();
    const wanted = { name: 'ada', roles: [], password: PASSWORD };
    const outcomes = await Promise.allSettled([
      users.add({ ...wanted, realm: 'scram' }),
      users.add({ ...wanted, realm: 'password' }),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    expect(outcomes[1]).toMatchObject({ reason: { code: 'MOT-0621' } });
    expect(directory.list()).toHaveLength(1);
  });

  it.each([
    ['a/b', [], 'MOT-0620'],
    ['', [], 'MOT-0620'],
    ['ada\n', [], 'MOT-0620'],
    ['ada', ['king'], 'MOT-0606'],
    ['ada', ['lab'], 'MOT-0606'],
  ])('named %j with roles %j is refused', async (name, roles, code) => {
    const { users, directory } = world();
    await expect(users.add({ name, realm: 'password', roles, password: PASSWORD })).rejects.toMatchObject({ code });
    expect(directory.list()).toEqual([]);
  });

  it('gets a new password once the old connections can be ended under it', async () => {
    const { users, directory, ended } = world();
    await users.add({ name: 'ada', realm: 'password', roles: ['operator'], password: PASSWORD });
    const before = directory.find('password', 'ada')?.verifier;
    expect(await users.setPassword('ada', 'another good password')).toBe(2);
    const { verifier, roles } = directory.find('password', 'ada') ?? {};
    expect(verifier).not.toEqual(before);
    expect(roles).toEqual(['operator']);
    expect(ended).toEqual([[{ realm: 'password', name: 'ada' }, verifier]]);
  });

  it('keeps its realm with a new password', async () => {
    const { users, directory } = world();
    await users.add({ name: 'bob', realm: 'scram', roles: [], password: PASSWORD });
    await users.setPassword('bob', 'another good password');
    expect(directory.list()).toMatchObject([{ realm: 'scram', verifier: { kind: 'scram-sha-256' } }]);
  });

  it('is removed, and what ended with it is told', async () => {
    const { users, ended, events, directory } = world();
    await users.add({ name: 'ada', realm: 'password', roles: [], password: PASSWORD });
    expect(await users.remove('ada')).toEqual({ connections: 2, sessions: 1 });
    expect(directory.list()).toEqual([]);
    expect(ended).toEqual([[{ realm: 'password', name: 'ada' }, undefined]]);
    expect(events.at(-1)).toMatchObject({ name: 'user.removed', identity: 'ada@password', sessions: 1 });
  });

  it('who is none is none: devices are not touched', async () => {
    const { users, directory } = world();
    await directory.put({ ...user('pump-1', { kind: 'psk', key: '' }), realm: 'ca:motte', kind: 'device' });
    for (const work of [() => users.remove('pump-1'), () => users.setPassword('pump-1', PASSWORD)]) {
      await expect(work()).rejects.toMatchObject({ code: 'MOT-0622' });
    }
    expect(users.list()).toEqual([]);
    expect(directory.list()).toHaveLength(1);
  });
});

describe('a new password', () => {
  it.each(['correct horse battery', 'zwölf Zeichen', '12345678901a', 'пароль из слов', ' leading and trailing '])(
    '%j is good',
    (password) => expect(() => checkNewPassword('ada', password)).not.toThrow(),
  );

  it.each([
    ['', 'has 0 characters'],
    ['eleven chrs', 'has 11 characters'],
    ['𝒶'.repeat(11), 'has 11 characters'],
    ['x'.repeat(1025), 'more than 1024 bytes'],
    ['abababababababab', 'over and over'],
    ['operator-operator', 'little more than the name'],
    ['two lines\nof text', 'control character'],
    ['nothing\0behind it', 'control character'],
    ['half a \ud800 character', 'control character'],
  ])('%j is not', (password, why) => {
    expect(() => checkNewPassword('operator', password)).toThrow(why);
  });

  it('is in no error', async () => {
    const { users } = world();
    const failed = users.add({ name: 'ada', realm: 'scram', roles: [], password: 'a secret \u202e in disguise' });
    await expect(failed).rejects.toMatchObject({ code: 'MOT-0623', message: expect.not.stringContaining('secret') });
  });
});
