// The CA key in an HSM: SoftHSM2 stands for one, pkcs11-tool signs, exactly as docs/how-to/keep-the-ca-key-in-an-hsm.md has it.

import { execFileSync } from 'node:child_process';
import { X509Certificate } from 'node:crypto';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { startAuthority } from '../../packages/pki/src/authority/start.ts';
import { createKeyAndCsr } from '../../packages/pki/src/keys.ts';
import { openssl } from '../../packages/pki/src/testing/openssl.ts';
import { describeWith } from './counterparts.ts';

const folder = mkdtempSync(join(tmpdir(), 'motte-hsm-'));
const path = (...parts: string[]): string => join(folder, ...parts);
const PIN = '87654321';
const module =
  ['/usr/lib/softhsm/libsofthsm2.so', '/usr/lib64/softhsm/libsofthsm2.so'].find((file) => existsSync(file)) ?? '';

afterAll(() => rmSync(folder, { recursive: true, force: true }));

describeWith(['softhsm2', 'opensc'], 'SoftHSM2', () => {
  beforeAll(() => {
    mkdirSync(path('tokens'));
    writeFileSync(
      path('conf'),
      `directories.tokendir = ${path('tokens')}\nobjectstore.backend = file\nlog.level = ERROR\n`,
    );
    const env = { ...process.env, SOFTHSM2_CONF: path('conf') };
    const tool = (...args: string[]) =>
      execFileSync('pkcs11-tool', ['--module', module, '--login', '--pin', PIN, ...args], { env, stdio: 'pipe' });
    execFileSync('softhsm2-util', ['--init-token', '--free', '--label', 'motte', '--so-pin', PIN, '--pin', PIN], {
      env,
      stdio: 'pipe',
    });
    for (const [id, label] of [
      ['01', 'motte-root'],
      ['02', 'motte-issuing'],
    ] as const) {
      tool('--keypairgen', '--key-type', 'EC:prime256v1', '--label', label, '--id', id);
      tool('--read-object', '--type', 'pubkey', '--label', label, '-o', path(`${label}.der`));
    }
    writeFileSync(path('pin'), PIN, { mode: 0o600 });
    writeFileSync(
      path('sign'),
      [
        '#!/bin/sh',
        `export SOFTHSM2_CONF=${path('conf')} MOTTE_PIN="$(cat ${path('pin')})"`,
        `exec pkcs11-tool --module ${module} --login --pin env:MOTTE_PIN --sign --mechanism ECDSA --id "$1"`,
        '',
      ].join('\n'),
      { mode: 0o700 },
    );
    mkdirSync(path('data', 'pki'), { recursive: true, mode: 0o700 });
    // By its id: asked for a label, pkcs11-tool signs with whichever key comes first.
    const key = (id: string, label: string) => `{ label: "${id}", publicKey: ${path(`${label}.der`)} }`;
    writeFileSync(
      path('data', 'pki', 'authority.yaml'),
      `signer:\n  command: [${path('sign')}, "{key}"]\n  input: sha256\n  root: ${key('01', 'motte-root')}\n  issuing: ${key('02', 'motte-issuing')}\n`,
      { mode: 0o600 },
    );
  });

  it('makes a CA, signs devices, and holds the only copy of the keys', async () => {
    const authority = await startAuthority({ data: path('data') });
    try {
      const { csr } = await createKeyAndCsr('x', { type: 'ec' });
      const issued = await authority.administrator.issueDevice({ name: 'pump-1', csr });
      expect(new X509Certificate(issued.certificate).verify(new X509Certificate(issued.issuing).publicKey)).toBe(true);
      for (const [name, text] of Object.entries({
        root: issued.root,
        issuing: issued.issuing,
        leaf: issued.certificate,
      })) {
        writeFileSync(path(name), text);
      }
      const chain = ['-CAfile', path('root'), '-untrusted', path('issuing')];
      expect(await openssl('verify', '-x509_strict', '-purpose', 'sslclient', ...chain, path('leaf'))).toMatchObject({
        code: 0,
      });
      expect((await authority.administrator.showCa()).current).toMatchObject({
        rootKey: 'signer',
        issuingKey: 'signer',
      });
    } finally {
      await authority.close();
    }
    for (const name of ['root.key', 'issuing.key']) {
      expect(readFileSync(path('data', 'pki', 'ca', name), 'utf8')).toMatch(/^motte-signer: 0[12]\n$/);
    }
  });
});
