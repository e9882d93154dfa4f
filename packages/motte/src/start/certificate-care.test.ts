import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLog } from '@motte/broker/observe';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { createTestAuthority } from '../../../../test/fixtures/certificates.ts';
import type { MotteConfig } from '../config/config.ts';
import { watchFiles } from '../data/file-watch.ts';
import { type CertificateCare, careForCertificates } from './certificate-care.ts';
import { readCertificatePair } from './certificate-pair.ts';
import type { Material } from './material.ts';

let folder: string;
let care: CertificateCare | undefined;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'motte-care-'));
});
afterEach(() => {
  care?.end();
  rmSync(folder, { recursive: true });
});

it('changed files are looked at once they are left alone, each change once', async () => {
  const path = join(folder, 'a.crt');
  writeFileSync(path, 'one');
  let changes = 0;
  const end = watchFiles({ files: () => [path], changed: async () => void (changes += 1), everyMs: 20 });
  try {
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(changes).toBe(0);
    writeFileSync(path, 'other');
    await vi.waitFor(() => expect(changes).toBe(1), { timeout: 5_000 });
    rmSync(path);
    await vi.waitFor(() => expect(changes).toBe(2), { timeout: 5_000 });
    writeFileSync(path, 'one');
    await vi.waitFor(() => expect(changes).toBe(3), { timeout: 5_000 });
    await new Promise((resolve) => setTimeout(resolve, 100));
    expect(changes).toBe(3);
  } finally {
    end();
  }
});

describe('certificates of the operator', () => {
  const authority = createTestAuthority('Plant');

  it('follow their files; a half-written pair keeps the old one and is said until it is mended', async () => {
    const files = { cert: join(folder, 's.crt'), key: join(folder, 's.key') };
    const [first, second] = [authority.server(), authority.server()];
    writeFileSync(files.cert, first.cert);
    writeFileSync(files.key, first.key);
    const config = { certificate: files, certificates: [] } as unknown as MotteConfig;
    const obtain = async () =>
      ({
        tls: { ...readCertificatePair(files), clientCa: '' },
        own: first,
        reissued: undefined,
      }) as unknown as Material;
    const used: string[] = [];
    const lines: string[] = [];
    care = careForCertificates({
      config: () => config,
      material: await obtain(),
      obtain,
      use: ({ tls }) => used.push(tls.cert),
      log: createLog({ level: 'info', shape: 'json', write: (line) => lines.push(line) }),
    });
    // The watch knows the files as they are now.
    await new Promise((resolve) => setTimeout(resolve, 4_500));
    writeFileSync(files.cert, second.cert);
    await vi.waitFor(() => expect(care?.findings).toHaveLength(1), { timeout: 15_000, interval: 100 });
    expect(care.findings[0]).toMatchObject({
      subject: 'certificate',
      why: expect.stringContaining('is not the key of'),
    });
    expect(used).toEqual([]);
    writeFileSync(files.key, second.key);
    await vi.waitFor(() => expect(used).toEqual([second.cert]), { timeout: 15_000, interval: 100 });
    expect(care.findings).toEqual([]);
    expect(lines.filter((line) => line.includes('stays the old one'))).toHaveLength(1);
    expect(lines.join('')).not.toContain('PRIVATE KEY');
  }, 40_000);

  it('that a reload names and that cannot be used refuse the reload', async () => {
    const files = { cert: join(folder, 'none.crt'), key: join(folder, 'none.key') };
    const config = { certificate: undefined, certificates: [] } as unknown as MotteConfig;
    care = careForCertificates({
      config: () => config,
      material: { tls: {} } as unknown as Material,
      obtain: async () => ({ tls: readCertificatePair(files) }) as unknown as Material,
      use: () => undefined,
      log: createLog({ level: 'off', shape: 'json', write: () => undefined }),
    });
    await expect(care.refresh(config)).rejects.toMatchObject({ code: 'MOT-0403' });
    expect(care.findings).toEqual([]);
  });
});
