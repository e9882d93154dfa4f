import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openRegistry, RegistryFault } from './registry.ts';

let directory: string;
let path: string;
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'motte-registry-'));
  path = join(directory, 'store', 'registry.json');
});
afterEach(() => rmSync(directory, { recursive: true, force: true }));

const pump = {
  realm: 'ca:motte',
  name: 'pump-1',
  kind: 'device',
  roles: ['device'],
  state: 'active',
  addedAtMs: 5,
} as const;

describe('the registry', () => {
  it('is empty without a file and makes none by looking', () => {
    expect(openRegistry(path).list()).toEqual([]);
    expect(() => statSync(path)).toThrow();
  });

  it('finds what was put, also when opened again; the file is 0600', async () => {
    const registry = openRegistry(path);
    await registry.put(pump);
    expect(registry.find('ca:motte', 'pump-1')).toEqual(pump);
    expect(openRegistry(path).find('ca:motte', 'pump-1')).toEqual(pump);
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it('puts in place of an entry only where nobody changed or removed it before its turn', async () => {
    const registry = openRegistry(path);
    await registry.put(pump);
    const before = registry.find('ca:motte', 'pump-1');
    const disabling = registry.put({ ...pump, state: 'disabled' });
    await registry.put({ ...pump, roles: ['other'] }, before);
    await disabling;
    expect(registry.find('ca:motte', 'pump-1')).toEqual({ ...pump, state: 'disabled' });
    const disabled = registry.find('ca:motte', 'pump-1');
    const removing = registry.remove('ca:motte', 'pump-1');
    await registry.put({ ...pump, roles: ['other'] }, disabled);
    await removing;
    expect(openRegistry(path).list()).toEqual([]);
    await registry.put(pump);
    await registry.put({ ...pump, roles: ['other'] }, registry.find('ca:motte', 'pump-1'));
    expect(openRegistry(path).list()).toEqual([{ ...pump, roles: ['other'] }]);
  });

  it('has a secret that stays, written with the first identity', async () => {
    const registry = openRegistry(path);
    await registry.put(pump);
    const { decoyKey } = registry;
    expect(decoyKey).toHaveLength(32);
    const again = openRegistry(path);
    expect(again.decoyKey).toEqual(decoyKey);
    await again.remove('ca:motte', 'pump-1');
    expect(openRegistry(path).decoyKey).toEqual(decoyKey);
  });

  it('of an older version is read, and gets its secret', async () => {
    mkdirSync(join(directory, 'store'));
    writeFileSync(path, JSON.stringify({ format: 1, identities: [pump] }));
    const registry = openRegistry(path);
    expect(registry.find('ca:motte', 'pump-1')).toEqual(pump);
    await registry.put({ ...pump, name: 'pump-2' });
    expect(openRegistry(path).decoyKey).toEqual(registry.decoyKey);
  });

  it('equal names of two realms are two identities; names of the language are names', async () => {
    const registry = openRegistry(path);
    await registry.put(pump);
    await registry.put({ ...pump, realm: 'ca:other', roles: [] });
    await registry.put({ ...pump, name: 'constructor' });
    expect(registry.find('ca:other', 'pump-1')?.roles).toEqual([]);
    expect(registry.find('ca:motte', 'pump-1')?.roles).toEqual(['device']);
    expect(registry.find('ca:motte', 'toString')).toBeUndefined();
    expect(openRegistry(path).list()).toHaveLength(3);
  });

  it('forgets what was removed, for good', async () => {
    const registry = openRegistry(path);
    await registry.put(pump);
    expect(await registry.remove('ca:other', 'pump-1')).toBe(false);
    expect(await registry.remove('ca:motte', 'pump-1')).toBe(true);
    expect(registry.list()).toEqual([]);
    expect(openRegistry(path).list()).toEqual([]);
    expect(await registry.remove('ca:motte', 'pump-1')).toBe(false);
  });

  it('keeps verifiers, and takes no file with one that it does not know', async () => {
    const user = {
      ...pump,
      realm: 'password',
      kind: 'user',
      verifier: { kind: 'argon2id', hash: '$argon2id$x' },
    } as const;
    await openRegistry(path).put(user);
    expect(openRegistry(path).find('password', 'pump-1')).toEqual(user);
    for (const verifier of [{ kind: 'md5', hash: 'x' }, { kind: 'constructor' }, { kind: 'psk' }, 'x', null, 7]) {
      writeFileSync(path, JSON.stringify({ format: 1, identities: [{ ...user, verifier }] }));
      expect(() => openRegistry(path)).toThrow(RegistryFault);
    }
  });

  it('keeps everything of many puts at once', async () => {
    const registry = openRegistry(path);
    await Promise.all(Array.from({ length: 50 }, (_, i) => registry.put({ ...pump, name: `d${i}` })));
    expect(openRegistry(path).list()).toHaveLength(50);
  });

  it('does not know what could not be written, and takes the next', async () => {
    const registry = openRegistry(path);
    writeFileSync(join(directory, 'store'), 'in the way');
    await expect(registry.put(pump)).rejects.toThrow();
    expect(registry.find('ca:motte', 'pump-1')).toBeUndefined();
    rmSync(join(directory, 'store'));
    await registry.put(pump);
    expect(registry.list()).toHaveLength(1);
  });

  it.each([
    ['not JSON', '{'],
    ['an empty file', ''],
    ['a newer format', '{"format":2,"identities":[]}'],
    ['no list', '{"format":1}'],
    ['an identity without roles', '{"format":1,"identities":[{"realm":"ca:motte","name":"x","kind":"device"}]}'],
    ['an identity twice', JSON.stringify({ format: 1, identities: [pump, pump] })],
  ])('refuses a file that is %s, and leaves it as it is', async (_what, text) => {
    await openRegistry(path).put(pump);
    writeFileSync(path, text);
    expect(() => openRegistry(path)).toThrow(RegistryFault);
    expect(readFileSync(path, 'utf8')).toBe(text);
  });
});
