import { createPrivateKey, createPublicKey, generateKeyPairSync, X509Certificate } from 'node:crypto';
import { mkdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { type RunningAuthority, startAuthority } from '../authority/start.ts';
import { createKeyAndCsr } from '../keys.ts';
import { withDataDirectory } from '../testing/data-directory.ts';

const { csr } = await createKeyAndCsr('x', { type: 'ec' });
/** scrypt takes its time on purpose. */
const SLOW_MS = 120_000;

async function configure(data: string, text: string): Promise<void> {
  await mkdir(join(data, 'pki'), { recursive: true, mode: 0o700 });
  await writeFile(join(data, 'pki', 'authority.yaml'), text, { mode: 0o600 });
}

async function withStarted<T>(data: string, work: (authority: RunningAuthority) => Promise<T>): Promise<T> {
  const authority = await startAuthority({ data });
  try {
    return await work(authority);
  } finally {
    await authority.close();
  }
}

const issue = ({ administrator }: RunningAuthority) => administrator.issueDevice({ name: 'pump-1', csr, force: true });

describe('under a passphrase', () => {
  it(
    'keys that lay open are closed; without the passphrase, or with another one, nothing is issued',
    () =>
      withDataDirectory(async (data) => {
        const secret = join(data, 'secret');
        const key = (name: string) => readFile(join(data, 'pki', 'ca', name), 'utf8');
        await withStarted(data, issue);
        expect(await key('issuing.key')).toContain('BEGIN PRIVATE KEY');
        await writeFile(secret, 'several words that nobody guesses\n', { mode: 0o600 });
        await configure(data, `passphrase: { file: ${secret} }\n`);
        await withStarted(data, async (authority) => {
          await issue(authority);
          expect((await authority.administrator.showCa()).current).toMatchObject({
            rootKey: 'passphrase',
            issuingKey: 'passphrase',
          });
        });
        for (const name of ['issuing.key', 'root.key'])
          expect(await key(name)).toMatch(/^-----BEGIN AGE ENCRYPTED FILE/);
        await writeFile(secret, 'other words that somebody guesses\n', { mode: 0o600 });
        await expect(startAuthority({ data })).rejects.toMatchObject({
          code: 'MOT-0476',
          message: expect.not.stringContaining('somebody'),
        });
        await configure(data, '{}');
        await withStarted(data, async (authority) => {
          await expect(issue(authority)).rejects.toMatchObject({ code: 'MOT-0476' });
        });
      }),
    SLOW_MS,
  );

  it.each([
    ['passphrase: several words that nobody guesses', 'MOT-0478'],
    ['passphrase: { file: relative }', 'MOT-0478'],
    ['passphrase: { file: /a, credential: b }', 'MOT-0478'],
    ['passphrase: { credential: ../b }', 'MOT-0478'],
    ['passphrase: { credential: b }', 'MOT-0476'],
    ['passphrase: { file: /nowhere/at/all }', 'MOT-0476'],
    ['passphrasse: { file: /a }', 'MOT-0478'],
    ['signer: { command: sign }', 'MOT-0478'],
    ['signer: { command: [sign], issuing: { label: a, publicKey: /a } }', 'MOT-0478'],
    ['signer: { command: [/bin/true], issuing: { label: a, publicKey: /nowhere/at/all } }', 'MOT-0478'],
    ['signer: { command: [/bin/true], input: md5, issuing: { label: a, publicKey: /a } }', 'MOT-0478'],
    ['signer: { command: [/bin/true], deadlineSeconds: 1000, issuing: { label: a, publicKey: /a } }', 'MOT-0478'],
    ['signer: { command: [/bin/true], issuing: { label: "a b", publicKey: /a } }', 'MOT-0478'],
    ['crl: { url: "ftp://pki.plant.example" }', 'MOT-0478'],
    ['crl: { url: "http://pki.plant.example/?q" }', 'MOT-0478'],
    ['crl: { url: "http://user@pki.plant.example/" }', 'MOT-0478'],
    [`crl: { url: "http://pki.plant.example/${'a'.repeat(90)}" }`, 'MOT-0478'],
    ['crl: {}', 'MOT-0478'],
    ['[', 'MOT-0478'],
    ['', 'MOT-0478'],
  ])('%j makes no CA: %s', (text, code) =>
    withDataDirectory(async (data) => {
      await configure(data, text);
      await expect(startAuthority({ data })).rejects.toMatchObject({ code });
    }),
  );

  it('a file that is longer than its parser can bear makes none', () =>
    withDataDirectory(async (data) => {
      await configure(data, '- '.repeat(3_000));
      await expect(startAuthority({ data })).rejects.toMatchObject({ code: 'MOT-0478' });
    }));

  it('a passphrase that others may read is none', () =>
    withDataDirectory(async (data) => {
      await writeFile(join(data, 'secret'), 'several words that nobody guesses\n', { mode: 0o644 });
      await configure(data, `passphrase: { file: ${join(data, 'secret')} }\n`);
      await expect(startAuthority({ data })).rejects.toMatchObject({ code: 'MOT-0423' });
    }));
});

describe('behind a signer', () => {
  /** Keys in files that only `openssl` is told of, in place of an HSM. */
  async function makeKeys(data: string, ...labels: string[]): Promise<void> {
    for (const label of labels) {
      const { privateKey, publicKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
      await writeFile(join(data, `${label}.key`), privateKey.export({ type: 'pkcs8', format: 'pem' }), { mode: 0o600 });
      await writeFile(join(data, `${label}.pub`), publicKey.export({ type: 'spki', format: 'pem' }));
    }
  }
  const signer = (data: string, command: string, more = '') =>
    `signer: { command: ${command}, root: { label: root-1, publicKey: ${data}/root-1.pub }, issuing: { label: issuing-1, publicKey: ${data}/issuing-1.pub } ${more} }\n`;
  const openssl = (data: string) => `[/usr/bin/openssl, dgst, -sha256, -sign, "${data}/{key}.key"]`;

  it(
    'no key of the CA is in the data directory, and everything is signed; rotated to further keys',
    () =>
      withDataDirectory(async (data) => {
        await makeKeys(data, 'root-1', 'issuing-1', 'root-2', 'issuing-2');
        await configure(data, signer(data, openssl(data)));
        await withStarted(data, async (authority) => {
          const issued = await issue(authority);
          const issuing = new X509Certificate(issued.issuing);
          const made = createPublicKey(await readFile(join(data, 'issuing-1.pub')));
          expect(issuing.publicKey.equals(made)).toBe(true);
          expect(new X509Certificate(issued.certificate).verify(made)).toBe(true);
          expect(await readFile(join(data, 'pki/ca/issuing.key'), 'utf8')).toBe('motte-signer: issuing-1\n');
          expect(await readFile(join(data, 'pki/ca/root.key'), 'utf8')).toBe('motte-signer: root-1\n');
          await configure(data, signer(data, openssl(data)).replaceAll('-1', '-2'));
          await authority.administrator.rotateCa('1d');
          const next = await issue(authority);
          expect(new X509Certificate(next.certificate).verify(new X509Certificate(next.issuing).publicKey)).toBe(true);
          const shown = await authority.administrator.showCa();
          expect([shown.current, shown.old]).toMatchObject(Array(2).fill({ rootKey: 'signer', issuingKey: 'signer' }));
          // The broker is still certified by the old one, whose key has the old label.
          const { csr: asked } = await createKeyAndCsr('x', {
            type: 'ec',
            alternativeNames: [{ type: 'dns', value: 'a' }],
          });
          await authority.broker.issueServer(asked);
        });
      }),
    SLOW_MS,
  );

  it.each([
    ['a missing program', '[/nowhere/sign]', 'ENOENT'],
    ['one that fails', '[/bin/sh, -c, "echo no card >&2; exit 3"]', 'ended with 3: no card'],
    ['one that hangs', '[/bin/sleep, "30"]', 'no signature within 1000 ms'],
    ['one that says nothing', '[/bin/true]', '0 bytes'],
    ['one that talks without end', '[/usr/bin/yes]', 'more than 1024 bytes'],
    ['one that answers the message', '[/bin/cat]', 'ECDSA'],
    ['a signature of another key', 'OTHER', 'does not verify'],
  ])(
    '%s is named, and nothing is issued',
    async (_, command, why) => {
      await withDataDirectory(async (data) => {
        await makeKeys(data, 'root-1', 'issuing-1');
        await configure(data, signer(data, openssl(data)));
        await withStarted(data, async () => undefined);
        const other = `[/usr/bin/openssl, dgst, -sha256, -sign, "${data}/root-1.key"]`;
        await configure(data, signer(data, command === 'OTHER' ? other : command, ', deadlineSeconds: 1'));
        const before = await readFile(join(data, 'pki', 'issued.jsonl'), 'utf8');
        await withStarted(data, async (authority) => {
          await expect(issue(authority)).rejects.toMatchObject({ code: 'MOT-0477', why: expect.stringContaining(why) });
        });
        expect(await readFile(join(data, 'pki', 'issued.jsonl'), 'utf8')).toBe(before);
      });
    },
    SLOW_MS,
  );

  it('the label stays one argument, whatever stands in it', () =>
    withDataDirectory(async (data) => {
      await makeKeys(data, 'root-1', 'issuing-1');
      const probe = join(data, 'probe');
      await writeFile(probe, `#!/bin/sh\nprintf '%s' "$#:$1" > ${data}/seen\nexit 1\n`, { mode: 0o755 });
      await configure(data, signer(data, `[${probe}, "{key}"]`).replace('label: root-1', 'label: "$(id);|x"'));
      await expect(startAuthority({ data })).rejects.toMatchObject({ code: 'MOT-0477' });
      expect(await readFile(join(data, 'seen'), 'utf8')).toBe('1:$(id);|x');
    }));
});

it('a key in a file can be read as OpenSSL reads it', () =>
  withDataDirectory(async (data) => {
    await withStarted(data, issue);
    expect(createPrivateKey(await readFile(join(data, 'pki/ca/root.key'))).asymmetricKeyType).toBe('ec');
  }));
