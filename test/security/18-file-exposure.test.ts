// File exposure (CVE-2017-9868; symlink following in mosquitto 2.1): whatever the mask of the process, nothing that was
// written is open to others, and no symbolic link is followed to or from a secret.

import {
  chmodSync,
  lstatSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openRegistry } from '../../packages/broker/src/store/registry.ts';
import { startAuthority } from '../../packages/pki/src/authority/start.ts';
import { obtainServerCertificate } from '../../packages/pki/src/server-certificate.ts';

let data: string;
let mask: number;
beforeEach(async () => {
  mask = process.umask(0);
  data = mkdtempSync(join(tmpdir(), 'motte-exposure-'));
  await start();
});
afterEach(() => {
  process.umask(mask);
  rmSync(data, { recursive: true, force: true });
});

/** Everything that writes, once. */
async function start(): Promise<void> {
  mkdirSync(join(data, 'pki'), { recursive: true, mode: 0o700 });
  // The one file of the authority's that a person writes.
  writeFileSync(join(data, 'pki', 'authority.yaml'), '{}\n', { mode: 0o600 });
  const authority = await startAuthority({ data, lockWaitMs: 0 });
  try {
    if ((await authority.administrator.showCa()).old === null) await authority.administrator.rotateCa('30d');
    await obtainServerCertificate({
      directory: join(data, 'run', 'server'),
      authority: authority.broker,
      names: [{ type: 'dns', value: 'localhost' }],
      nowMs: Date.now(),
    });
    await openRegistry(join(data, 'store', 'registry.json')).put({
      realm: 'ca:motte',
      name: 'pump-1',
      kind: 'device',
      roles: [],
      state: 'active',
      addedAtMs: 0,
    });
  } finally {
    await authority.close();
  }
}

function pathsBelow(directory: string): string[] {
  return readdirSync(directory, { recursive: true, withFileTypes: true }).map((entry) =>
    join(entry.parentPath, entry.name),
  );
}

const SECRETS = [
  'pki',
  'pki/ca',
  'pki/ca/root.key',
  'pki/ca/issuing.key',
  'pki/ca/issuing.crt',
  'pki/issued.jsonl',
  'pki/authorities.json',
  'pki/authority.yaml',
  'pki/lock',
  'run',
  'run/server',
  'run/server/server.key',
];

describe('the data directory', () => {
  it('holds nothing that is open to others, with a mask of 0', () => {
    const paths = pathsBelow(data);
    expect(paths).toEqual(expect.arrayContaining(SECRETS.map((path) => join(data, path))));
    expect(paths.filter((path) => (lstatSync(path).mode & 0o077) !== 0)).toEqual([]);
  });

  it.each(SECRETS)('%s is refused where it is a symbolic link', async (path) => {
    renameSync(join(data, path), join(data, 'elsewhere'));
    symlinkSync(join(data, 'elsewhere'), join(data, path));
    await expect(start()).rejects.toMatchObject({ code: 'MOT-0423' });
    expect(lstatSync(join(data, path)).isSymbolicLink()).toBe(true);
  });

  it.each(SECRETS)('%s is refused where it is open to others', async (path) => {
    chmodSync(join(data, path), path.includes('.') ? 0o644 : 0o755);
    await expect(start()).rejects.toMatchObject({ code: 'MOT-0423' });
  });
});
