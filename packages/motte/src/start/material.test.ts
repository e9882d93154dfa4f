// What is in force when a file of the operator's cannot be used: its own part as before, and everything that the authority says.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLog } from '@motte/broker/observe';
import { type RunningAuthority, startAuthority } from '@motte/pki';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { createTestAuthority } from '../../../../test/fixtures/certificates.ts';
import { loadConfig } from '../config/config.ts';
import { careForCertificates } from './certificate-care.ts';
import { type Material, obtainMaterial } from './material.ts';

const folder = mkdtempSync(join(tmpdir(), 'motte-material-'));
const at = (name: string) => join(folder, name);
const operator = createTestAuthority('Office');
const pair = operator.server();
let authority: RunningAuthority;

beforeAll(async () => {
  mkdirSync(at('run'), { mode: 0o700 });
  authority = await startAuthority({ data: folder });
});
afterAll(async () => {
  await authority.close();
  rmSync(folder, { recursive: true, force: true });
});
beforeEach(() => {
  writeFileSync(at('s.crt'), pair.cert);
  writeFileSync(at('s.key'), pair.key);
  writeFileSync(at('plant.pem'), operator.ca);
  writeFileSync(
    at('motte.yaml'),
    'tls: { certificate: { cert: s.crt, key: s.key }, clientCa: [{ id: plant, file: plant.pem }] }\n',
  );
});

const config = () => loadConfig({ path: at('motte.yaml'), explicit: true });
const obtain = (before?: Material) => obtainMaterial(folder, authority.brokerSocket, config(), before);
const roots = (material: Material) => material.trusted.length;

it('a certificate or CA file that broke does not hold up whom the authority trusts now', async () => {
  const before = await obtain();
  expect(before).toMatchObject({ unusable: undefined, tls: { cert: pair.cert } });
  await authority.administrator.rotateCa('30d');
  for (const [file, code] of [
    ['s.key', 'MOT-0403'],
    ['s.crt', 'MOT-0403'],
    ['plant.pem', 'MOT-0412'],
  ] as const) {
    writeFileSync(at('s.crt'), pair.cert);
    writeFileSync(at('s.key'), pair.key);
    writeFileSync(at(file), 'half of it');
    const after = await obtain(before);
    expect(after.unusable).toMatchObject({ code });
    expect([roots(before), roots(after)]).toEqual([1, 2]);
    expect(after.tls).toMatchObject({ cert: pair.cert, key: pair.key });
    expect(after.authorities).toEqual(before.authorities);
    // A start and a reload take all of it or nothing.
    await expect(obtain()).rejects.toMatchObject({ code });
  }
});

it('what is wrong is said once and stays a finding until it is mended, while trust goes on', async () => {
  const used: Material[] = [];
  const lines: string[] = [];
  const before = await obtain();
  const care = careForCertificates({
    config,
    material: before,
    obtain: (_, kept) => obtain(kept),
    use: (material) => used.push(material),
    log: createLog({ level: 'info', shape: 'json', write: (line) => lines.push(line) }),
  });
  try {
    writeFileSync(at('s.key'), 'half of it');
    await authority.administrator.finishRotation(true);
    await care.follow();
    await care.follow();
    expect(used.map(roots)).toEqual([1]);
    expect(care.findings).toMatchObject([{ subject: 'certificate' }]);
    expect(lines.filter((line) => line.includes('stays the old one'))).toHaveLength(1);
    writeFileSync(at('s.key'), pair.key);
    await care.follow();
    expect(care.findings).toEqual([]);
  } finally {
    care.end();
  }
});
