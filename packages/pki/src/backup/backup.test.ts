// The authority's part of a backup: what leaves, what comes back, and what is refused.

import { mkdir, readdir, readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { Decrypter, Encrypter } from 'age-encryption';
import fc from 'fast-check';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { startAuthority } from '../authority/start.ts';
import { openAuthority } from '../client/client.ts';
import { withAuthority } from '../client/offline.ts';
import { createKeyAndCsr } from '../keys.ts';
import { makeAgeKeys } from '../testing/age-keys.ts';
import { withDataDirectory } from '../testing/data-directory.ts';
import { checkRecipients, decryptWith, encryptFor } from './age.ts';
import { checkAuthorityPart, restoreAuthorityPart } from './read-part.ts';

// age's scrypt takes about two seconds of the processor for each passphrase, on purpose.
vi.setConfig({ testTimeout: 120_000 });

const ID = '0123456789abcdef0123456789abcdef';
const NOTHING_LATER = { sources: [], madeMs: 0, nowMs: 0 };
const PASSPHRASE = 'several words that nobody guesses';
let identity = '';
let to = { recipients: [''], passphrase: '' };
/** A part of one backup with three devices, decrypted. */
let plain = '';

async function collect(chunks: AsyncIterable<Uint8Array>): Promise<Buffer> {
  const parts: Uint8Array[] = [];
  for await (const chunk of chunks) parts.push(chunk);
  return Buffer.concat(parts);
}

async function* streamOf(...chunks: (string | Uint8Array)[]): AsyncGenerator<Uint8Array> {
  for (const chunk of chunks) yield Buffer.from(chunk);
}

const opened = async (cipher: Uint8Array) =>
  collect(await decryptWith({ identities: [identity], passphrase: '' }, streamOf(cipher)));

async function issue(data: string, ...names: string[]): Promise<void> {
  const { csr } = await createKeyAndCsr('x', { type: 'ec' });
  await withAuthority(data, async (ca) => {
    for (const name of names) await ca.issueDevice({ name, csr });
  });
}

beforeAll(async () => {
  const keys = await makeAgeKeys();
  identity = keys.identity;
  to = { recipients: [keys.recipient], passphrase: '' };
  await withDataDirectory(async (data) => {
    await (await startAuthority({ data })).close();
    await issue(data, 'a', 'b', 'c');
    plain = (await opened(await withAuthority(data, (ca) => collect(ca.backup(ID, to))))).toString();
  });
});

describe('over the socket', () => {
  it('only ciphertext leaves, and what was restored from it issues under the same CA', () =>
    withDataDirectory(async (data) => {
      const authority = await startAuthority({ data: join(data, 'old') });
      try {
        const administrator = openAuthority(authority.authoritySocket);
        await issue(join(data, 'old'), 'pump-1', 'pump-2');
        const cipher = await collect(administrator.backup(ID, to));
        const key = await readFile(join(data, 'old/pki/ca/issuing.key'));
        for (const secret of [key, Buffer.from(key.toString('base64'))]) {
          expect(cipher.includes(secret.subarray(30, 90))).toBe(false);
        }
        await mkdir(join(data, 'new'));
        const pki = join(data, 'new', 'pki');
        const facts = await restoreAuthorityPart(streamOf(await opened(cipher)), ID, pki, NOTHING_LATER);
        // Root, issuing CA and two devices.
        expect(facts).toEqual({ fingerprint: authority.fingerprint, issued: 4, revoked: 0, merged: 0, gone: [] });
        for (const name of await readdir(pki)) expect((await stat(join(pki, name))).mode & 0o077).toBe(0);
        await issue(join(data, 'new'), 'pump-3');
        await withAuthority(join(data, 'new'), async (ca) => {
          expect((await ca.listDevices()).map(({ name }) => name)).toEqual(['pump-1', 'pump-2', 'pump-3']);
          expect((await ca.caInfo()).fingerprint).toBe(authority.fingerprint);
        });
      } finally {
        await authority.close();
      }
    }));

  it('a ledger of many pieces comes back as it is while certificates are issued', () =>
    withDataDirectory(async (data) => {
      const authority = await startAuthority({ data });
      try {
        const names = Array.from({ length: 60 }, (_, index) => `device-${index}`);
        await issue(data, ...names);
        const ledger = await readFile(join(data, 'pki/issued.jsonl'));
        expect(ledger.length).toBeGreaterThan(2 * 32 * 1024);
        const chunks = authority.administrator.backup(ID, to)[Symbol.asyncIterator]();
        const first = await chunks.next();
        await issue(data, 'later');
        const rest: Uint8Array[] = [first.value as Uint8Array];
        for (let next = await chunks.next(); next.done !== true; next = await chunks.next()) rest.push(next.value);
        const restored = join(data, 'restored');
        await restoreAuthorityPart(streamOf(await opened(Buffer.concat(rest))), ID, restored, NOTHING_LATER);
        expect(ledger.equals((await readFile(join(restored, 'issued.jsonl'))).subarray(0, ledger.length))).toBe(true);
      } finally {
        await authority.close();
      }
    }));

  it('a later backup ends an earlier one, and one that was not begun cannot be read', () =>
    withDataDirectory(async (data) => {
      const { authoritySocket, close } = await startAuthority({ data });
      try {
        const administrator = openAuthority(authoritySocket);
        const earlier = administrator.backup(ID, to)[Symbol.asyncIterator]();
        await earlier.next();
        await collect(administrator.backup('f'.repeat(32), to));
        await expect(earlier.next()).rejects.toMatchObject({ code: 'MOT-0438' });
        await expect(collect(administrator.backup('../x', to))).rejects.toMatchObject({ code: 'MOT-0438' });
        await expect(collect(administrator.backup(ID, { recipients: [], passphrase: '' }))).rejects.toMatchObject({
          code: 'MOT-0439',
        });
        await expect(
          collect(administrator.backup(ID, { recipients: ['age1nonsense'], passphrase: '' })),
        ).rejects.toMatchObject({ code: 'MOT-0439' });
      } finally {
        await close();
      }
    }));
});

describe('keys', () => {
  it('a passphrase opens what it closed, and no other does', async () => {
    const cipher = await collect(await encryptFor({ recipients: [], passphrase: PASSPHRASE }, streamOf('content')));
    const openWith = (passphrase: string) =>
      decryptWith({ identities: [], passphrase }, streamOf(cipher)).then(collect);
    expect((await openWith(PASSPHRASE)).toString()).toBe('content');
    await expect(openWith(`${PASSPHRASE}.`)).rejects.toMatchObject({ code: 'MOT-0440' });
  });

  it('the package itself opens what a passphrase closed here, and the other way round', async () => {
    const cipher = await collect(await encryptFor({ recipients: [], passphrase: PASSPHRASE }, streamOf('content')));
    const theirs = new Decrypter();
    theirs.addPassphrase(PASSPHRASE);
    expect(await theirs.decrypt(cipher, 'text')).toBe('content');
    const other = new Encrypter();
    other.setScryptWorkFactor(10);
    other.setPassphrase(PASSPHRASE);
    const text = await decryptWith({ identities: [], passphrase: PASSPHRASE }, streamOf(await other.encrypt('theirs')));
    expect((await collect(text)).toString()).toBe('theirs');
  }, 120_000);

  it('a file that asks for more memory than it may is refused before it gets it', async () => {
    const other = new Encrypter();
    other.setScryptWorkFactor(10);
    other.setPassphrase(PASSPHRASE);
    const cipher = Buffer.from(await other.encrypt('theirs'));
    const asking = Buffer.from(cipher.toString('latin1').replace(/^(-> scrypt \S+) 10$/m, '$1 40'), 'latin1');
    expect(asking.equals(cipher)).toBe(false);
    const open = decryptWith({ identities: [], passphrase: PASSPHRASE }, streamOf(asking));
    await expect(open).rejects.toMatchObject({ code: 'MOT-0440', why: 'its work factor is 40, at most 20 is tried' });
  });

  it('each of two recipients opens it, a third does not', async () => {
    const pairs = [await makeAgeKeys(), await makeAgeKeys()];
    const recipients = pairs.map(({ recipient }) => recipient);
    const cipher = await collect(await encryptFor({ recipients, passphrase: '' }, streamOf('content')));
    for (const { identity: one } of pairs) {
      const text = await collect(await decryptWith({ identities: [one], passphrase: '' }, streamOf(cipher)));
      expect(text.toString()).toBe('content');
    }
    await expect(opened(cipher)).rejects.toMatchObject({ code: 'MOT-0440' });
  });

  it.each(['', 'age1', 'ssh-ed25519 AAAA', 'AGE-SECRET-KEY-1QQ', '-'])('%j is no recipient', async (text) => {
    await expect(checkRecipients([text])).rejects.toMatchObject({ code: 'MOT-0439' });
  });
});

describe('what is no whole part is refused', () => {
  const read = (text: string) => checkAuthorityPart(streamOf(text), ID);
  const lines = () => plain.split('\n').slice(0, -1);
  const joined = (parts: readonly string[]) => parts.map((line) => `${line}\n`).join('');

  it('as it is, it is right, in whatever chunks it comes', async () => {
    const cut = Buffer.from(plain);
    const chunks = Array.from({ length: Math.ceil(cut.length / 7) }, (_, at) => cut.subarray(at * 7, at * 7 + 7));
    expect(await checkAuthorityPart(streamOf(...chunks), ID)).toMatchObject({ issued: 5 });
  });

  it('cut off at any byte', async () => {
    await fc.assert(
      fc.asyncProperty(fc.nat(plain.length - 1), async (length) => {
        await expect(read(plain.slice(0, length))).rejects.toMatchObject({ code: expect.stringMatching(/^MOT-04/) });
      }),
    );
  });

  it('any line left out, or said twice', async () => {
    for (const [place, line] of lines().entries()) {
      await expect(read(joined(lines().toSpliced(place, 1)))).rejects.toThrow();
      await expect(read(joined(lines().toSpliced(place, 0, line)))).rejects.toThrow();
    }
  });

  it('of another backup, of a newer format, or with a file that does not belong there', async () => {
    await expect(checkAuthorityPart(streamOf(plain), 'f'.repeat(32))).rejects.toMatchObject({ code: 'MOT-0438' });
    await expect(read(plain.replace('"format":2', '"format":3'))).rejects.toMatchObject({
      why: 'its format is 3, this version reads 1 to 2',
    });
    const evil = JSON.stringify({ file: '../../.ssh/authorized_keys', base64: 'eA==' });
    await expect(read(joined(lines().toSpliced(1, 0, evil)))).rejects.toMatchObject({ code: 'MOT-0438' });
  });

  it('with the key of another CA', () =>
    withDataDirectory(async (data) => {
      await (await startAuthority({ data })).close();
      const other = (await opened(await withAuthority(data, (ca) => collect(ca.backup(ID, to)))))
        .toString()
        .split('\n');
      const mixed = lines().map((line, place) => (line.includes('"ca/issuing.key"') ? (other[place] as string) : line));
      await expect(read(joined(mixed))).rejects.toThrow('its checksum is wrong');
    }));
});
