// When a device renews: at its own time around two thirds, and whoever else answers at the address cannot bring that forward.

import { createHash, createPrivateKey } from 'node:crypto';
import { mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { createTestAuthority, type Pair, type TestAuthority } from '../../../../test/fixtures/certificates.ts';
import { dueAtMs, renewHere } from './renew.ts';

const FROM = Date.UTC(2026, 0, 1);
const DAY = 86_400_000;
const LIFE = 730 * DAY;
const leafOf = (n: number) => ({
  validFrom: new Date(FROM).toUTCString(),
  validTo: new Date(FROM + LIFE).toUTCString(),
  raw: createHash('sha512').update(String(n)).digest(),
});

describe('renewal is due', () => {
  const shares = Array.from({ length: 2_000 }, (_, n) => (dueAtMs(leafOf(n)) - FROM) / LIFE);

  it('at two thirds of the life, a twentieth of it earlier or later', () => {
    for (const share of shares) {
      expect(share).toBeGreaterThanOrEqual(2 / 3 - 0.05);
      expect(share).toBeLessThanOrEqual(2 / 3 + 0.05);
    }
  });

  it('spread evenly: devices that were enrolled in one hour do not come back in one', () => {
    const tenths = new Array<number>(10).fill(0);
    for (const share of shares) tenths[Math.min(9, Math.floor((share - (2 / 3 - 0.05)) * 100))]! += 1;
    // 200 are meant for each; five standard deviations.
    for (const count of tenths) expect(Math.abs(count - 200)).toBeLessThan(68);
  });

  it('for one certificate always at the same time', () => {
    expect(dueAtMs(leafOf(1))).toBe(dueAtMs(leafOf(1)));
    expect(dueAtMs(leafOf(1))).not.toBe(dueAtMs(leafOf(2)));
  });
});

describe('a device that is not due', () => {
  let folder: string;
  let own: TestAuthority;
  let device: Pair;
  let server: Server | undefined;
  let asked: string[] = [];
  beforeEach(() => {
    own = createTestAuthority('Motte');
    device = own.issue('pump-1');
    folder = mkdtempSync(join(tmpdir(), 'motte-renew-'));
    writeFileSync(join(folder, 'ca.crt'), own.root.cert);
    writeFileSync(join(folder, 'pump-1.crt'), device.cert);
    writeFileSync(join(folder, 'pump-1.key'), device.key);
    asked = [];
  });
  afterEach(async () => {
    rmSync(folder, { recursive: true });
    await new Promise((resolve) => (server === undefined ? resolve(undefined) : server.close(resolve)));
    server = undefined;
  });

  /** Answers every request with this text, with the certificate of an authority. */
  async function serve(of: TestAuthority, text: string): Promise<string> {
    server = createServer({ ...of.server() }, (request, response) => {
      asked.push(`${request.method} ${request.url}`);
      response.end(text);
    });
    await new Promise<void>((resolve) => server?.listen(0, '127.0.0.1', resolve));
    return `https://127.0.0.1:${(server.address() as AddressInfo).port}`;
  }
  const renew = (url: string) => renewHere({ directory: folder, url, force: false, nowMs: Date.now() });
  const files = () => readdirSync(folder).map((name) => [name, readFileSync(join(folder, name), 'utf8')]);

  it('does not believe whom its CA does not vouch for', async () => {
    const before = files();
    const other = createTestAuthority('Other');
    expect(await renew(await serve(other, own.root.cert + other.root.cert))).toMatchObject({ state: 'not-due' });
    expect(asked).toEqual([]);
    expect(files()).toEqual(before);
  });

  it.each([
    ['its own root', () => own.root.cert],
    ['nothing', () => ''],
    ['something else', () => '{}'],
  ])('hears of %s and has nothing to do', async (_, text) => {
    const before = files();
    expect(await renew(await serve(own, text()))).toMatchObject({ state: 'not-due' });
    expect(asked).toEqual(['GET /roots']);
    expect(files()).toEqual(before);
  });

  it('hears of a further root and asks to be certified anew; what is no certificate changes nothing', async () => {
    const before = files();
    const next = createTestAuthority('Next');
    await expect(renew(await serve(own, own.root.cert + next.root.cert))).rejects.toMatchObject({ code: 'MOT-0643' });
    expect(asked).toEqual(['GET /roots', 'POST /renew']);
    expect(files()).toEqual(expect.arrayContaining(before));
    expect(readFileSync(join(folder, 'ca.crt'), 'utf8')).toBe(own.root.cert);
  });

  it.each([
    ['empty', () => ''],
    ['half written', () => device.key.slice(0, 80)],
  ])('makes another key where one of an earlier attempt is %s, and keeps one that is whole', async (_, text) => {
    const next = join(folder, 'pump-1.key.new');
    writeFileSync(next, text());
    const url = await serve(own, '{}');
    const again = () => renewHere({ directory: folder, url, force: true, nowMs: Date.now() });
    await expect(again()).rejects.toMatchObject({ code: 'MOT-0643' });
    const made = readFileSync(next, 'utf8');
    expect(createPrivateKey(made).asymmetricKeyType).toBe('ec');
    expect(statSync(next).mode & 0o777).toBe(0o600);
    await expect(again()).rejects.toMatchObject({ code: 'MOT-0643' });
    expect(readFileSync(next, 'utf8')).toBe(made);
    expect(asked).toEqual(['POST /renew', 'POST /renew']);
  });

  it('that finds nobody at the address has nothing to do', async () => {
    expect(await renew('https://127.0.0.1:1')).toMatchObject({ state: 'not-due' });
  });
});
