// What is inside a backup whose file is whole: parts that belong together, and everything that does not.

import { mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { type BackupManifest, type BackupRecord, BackupWriter } from '@motte/admin/backup';
import { openStore } from '@motte/broker/store';
import { readStoreFiles } from '@motte/broker/store-files';
import { type BackupTo, encryptFor, startAuthority } from '@motte/pki';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { makeAgeKeys } from '../../../pki/src/testing/age-keys.ts';
import { type BackupHead, PART_NAMES } from './container.ts';
import { openBackup } from './read-file.ts';
import { type BackupContent, readParts } from './read-parts.ts';
import { createTarget } from './restore-data.ts';
import { createBackupFile } from './write-file.ts';

const folder = mkdtempSync(join(tmpdir(), 'motte-read-parts-'));
const file = join(folder, 'backup');
const data = join(folder, 'data');
const ID = '0123456789abcdef0123456789abcdef';
const TOKENS = '{ "format": 1, "issuers": [], "revocations": [] }';
const REGISTRY = '{ "format": 1, "identities": [] }';
const policyOf = (text: string) =>
  JSON.stringify({ format: 1, policies: [{ version: 3, appliedAtMs: 0, by: 'ann', why: '', file: 'p.yaml', text }] });
const POLICY = policyOf('roles: {}');
let identity = '';
let to: BackupTo;
let authority: Awaited<ReturnType<typeof startAuthority>>;
let records: BackupRecord[] = [];
let manifest: BackupManifest;

interface Recipe {
  readonly head?: Partial<BackupHead>;
  readonly manifest?: Partial<BackupManifest>;
  readonly files?: Readonly<Record<string, string>>;
  readonly records?: readonly BackupRecord[];
  /** The id that the authority's part has. */
  readonly authorityId?: string;
  readonly withoutEnd?: boolean;
}

async function* brokerPart(recipe: Recipe): AsyncGenerator<Uint8Array> {
  const writer = new BackupWriter();
  yield writer.start({ ...manifest, ...recipe.manifest });
  for (const [name, text] of Object.entries(recipe.files ?? { 'registry.json': REGISTRY }))
    yield writer.file(name, Buffer.from(text));
  yield writer.records(recipe.records ?? records);
  if (recipe.withoutEnd !== true) yield writer.end();
}

/** Makes a backup by the recipe and reads it; into the data directory if `restore` says so. */
async function read(recipe: Recipe, { restore = false, key = identity } = {}): Promise<BackupContent> {
  rmSync(file, { force: true });
  const made = await createBackupFile(file);
  const { format: _, ...facts } = manifest;
  await made.head({ ...facts, to: 'recipients', parts: PART_NAMES, ...recipe.head });
  await made.part('broker', await encryptFor(to, brokerPart(recipe)), () => undefined);
  await made.part('authority', authority.administrator.backup(recipe.authorityId ?? ID, to), () => undefined);
  await made.finish();
  const backup = await openBackup(file, () => undefined);
  const target = restore ? await createTarget(data) : undefined;
  try {
    const taker = target === undefined ? undefined : { ...target, later: [] };
    const content = await readParts(backup, { identities: [key], passphrase: '' }, taker, () => undefined);
    await target?.finish();
    return content;
  } finally {
    await target?.discard();
    await backup.close();
  }
}

beforeAll(async () => {
  const keys = await makeAgeKeys();
  identity = keys.identity;
  to = { recipients: [keys.recipient], passphrase: '' };
  authority = await startAuthority({ data: join(folder, 'old') });
  manifest = {
    format: 1,
    id: ID,
    motte: '0.1.0',
    made: '2026-01-01T00:00:00.000Z',
    ca: authority.fingerprint,
    store: 1,
  };
  const path = join(folder, 'store');
  const store = await openStore({ kind: 'level', lingerMs: 2 } as never, path);
  await store.close();
  const snapshot = await readStoreFiles(path);
  records = [...((await snapshot?.next()) ?? [])];
  await snapshot?.close();
});
afterEach(() => rmSync(data, { recursive: true, force: true }));
afterAll(async () => {
  await authority.close();
  rmSync(folder, { recursive: true });
});

describe('a backup', () => {
  it('that fits together is read, and restored with everything where it belongs', async () => {
    const content = await read(
      {
        files: {
          'registry.json': REGISTRY,
          'policy.json': POLICY,
          'tokens.json': TOKENS,
          'motte.yaml': 'console: off\n',
        },
      },
      { restore: true },
    );
    expect(content).toMatchObject({
      broker: { findings: [], damaged: 0 },
      authority: { fingerprint: authority.fingerprint },
    });
    expect(readdirSync(data).sort()).toEqual(['motte.yaml', 'pki', 'store']);
    expect(readFileSync(join(data, 'store', 'registry.json'), 'utf8')).toBe(REGISTRY);
    expect(readFileSync(join(data, 'store', 'policy.json'), 'utf8')).toBe(POLICY);
    expect(readFileSync(join(data, 'store', 'tokens.json'), 'utf8')).toBe(TOKENS);
    for (const name of [
      '',
      'store',
      'store/tokens.json',
      'store/policy.json',
      'pki',
      'pki/ca',
      'pki/ca/root.key',
      'motte.yaml',
    ]) {
      expect(statSync(join(data, name)).mode & 0o077, name).toBe(0);
    }
  });

  it('of a newer store is refused by name, by its head and by its records', async () => {
    const code = 'MOT-0805';
    const why = 'the store in it has format 2, this version reads 1';
    await expect(read({ head: { store: 2 } })).rejects.toMatchObject({ code, why });
    await expect(read({ manifest: { store: 2 } })).rejects.toMatchObject({ code, why });
    const newer = [
      [
        records.find(([key]) => Buffer.from(key).toString() === 'Mformat')?.[0] as Uint8Array,
        Buffer.from('motte store 2'),
      ],
    ];
    await expect(read({ records: newer as never })).rejects.toMatchObject({ code: 'MOT-0808' });
  });

  it('whose parts or head are from different backups is refused', async () => {
    await expect(read({ authorityId: 'f'.repeat(32) })).rejects.toMatchObject({ code: 'MOT-0808' });
    for (const head of [{ id: 'f'.repeat(32) }, { ca: 'cd'.repeat(32) }, { motte: '9.9.9' }, { made: 'today' }]) {
      await expect(read({ head })).rejects.toMatchObject({
        code: 'MOT-0808',
        why: expect.stringMatching(/^its head says/),
      });
    }
    const ca = 'cd'.repeat(32);
    await expect(read({ head: { ca }, manifest: { ca } })).rejects.toMatchObject({ code: 'MOT-0808' });
  });

  it('for another key cannot be opened', async () => {
    await expect(read({}, { key: (await makeAgeKeys()).identity })).rejects.toMatchObject({ code: 'MOT-0807' });
  });

  it.each([
    [{ withoutEnd: true }, 'MOT-0806'],
    [{ files: { 'registry.json': '{' } }, 'MOT-0808'],
    [{ files: { 'registry.json': '{"format":2}' } }, 'MOT-0808'],
    [{ files: { 'tokens.json': '{"format":2}' } }, 'MOT-0808'],
    [{ files: { 'policy.json': '{}' } }, 'MOT-0808'],
    [{ files: { 'policy.json': policyOf('roles: 1') } }, 'MOT-0808'],
    [{ files: { '../../authorized_keys': 'x' } }, 'MOT-0808'],
  ] as const)('%j: %s, and nothing is left of it', async (recipe, code) => {
    await expect(read(recipe as Recipe, { restore: true })).rejects.toMatchObject({ code });
    expect(readdirSync(folder).filter((name) => name.startsWith('data'))).toEqual([]);
  });

  it('with records that were damaged before, or a motte.yaml that is refused, says so and can be restored', async () => {
    const broken: BackupRecord = [Buffer.from('Rt'), Buffer.from('no seal at all')];
    const files = { 'motte.yaml': 'listners: []\n' };
    const { broker } = await read({ records: [...records, broken], files }, { restore: true });
    expect(broker.damaged).toBe(1);
    expect(broker.findings).toEqual([
      expect.stringContaining('motte.yaml:1:1'),
      expect.stringMatching(/^1 records were damaged/),
    ]);
  });
});

describe('where a backup is restored', () => {
  it('is an empty directory or none, and nothing else', async () => {
    mkdirSync(data);
    await (await createTarget(data)).discard();
    writeFileSync(join(data, 'motte.yaml'), '');
    await expect(createTarget(data)).rejects.toMatchObject({
      code: 'MOT-0809',
      why: expect.stringContaining('is not empty'),
    });
    await expect(createTarget(file)).rejects.toMatchObject({ code: 'MOT-0809' });
  });

  it('that is filled meanwhile is left alone', async () => {
    const target = await createTarget(data);
    await expect(createTarget(data)).rejects.toMatchObject({ code: 'MOT-0809' });
    mkdirSync(data);
    writeFileSync(join(data, 'mine'), '');
    await expect(target.finish()).rejects.toMatchObject({ code: 'MOT-0809' });
    await target.discard();
    expect(readdirSync(data)).toEqual(['mine']);
    expect(readdirSync(folder)).not.toContain('data.restoring');
  });
});
