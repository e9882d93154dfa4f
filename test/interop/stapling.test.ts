// OCSP stapling as OpenSSL's client sees it: each server certificate with its own answer, in both versions of TLS, and never a
// handshake that waits for a responder.

import { once } from 'node:events';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openAdmin } from '@motte/admin';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Started, startBroker } from '../../packages/motte/src/testing/program.ts';
import { createTestAuthority, type Pair, type TestAuthority } from '../fixtures/certificates.ts';
import { OpensslResponder, responderOf } from '../fixtures/ocsp.ts';
import { serialOf } from '../fixtures/revocation.ts';
import { describeWith } from './counterparts.ts';
import { run } from './drivers/mosquitto.ts';

const folder = mkdtempSync(join(tmpdir(), 'motte-stapling-'));
const data = join(folder, 'data');
const yaml = join(folder, 'motte.yaml');
const file = (name: string): string => join(folder, name);

describeWith(['openssl'], 'OCSP stapling', () => {
  const pairs = new Map<string, Pair>();
  const held: Socket[] = [];
  let plant: TestAuthority;
  let responder: OpensslResponder;
  let silent: Server;
  let broker: Started;
  let port: number;

  const serial = (name: string): string => serialOf(pairs.get(name)?.cert ?? '');

  function configure(staple: string): void {
    const [gate, line, quiet] = ['gate', 'line', 'quiet'].map((name) => `cert: ${name}.crt, key: ${name}.key`);
    writeFileSync(
      yaml,
      `listeners: [{ name: devices, url: "mqtts://127.0.0.1:0" }]
tls: { staple: ${staple}, certificate: { ${gate} }, certificates: [{ ${line} }, { ${quiet} }] }
console: off
log: { shape: json }
`,
    );
  }

  /** What a client that asks for an answer is shown. */
  async function shown(name: string, ...further: string[]): Promise<string> {
    const where = ['-connect', `127.0.0.1:${port}`, '-servername', `${name}.plant.example`];
    const { out } = await run('openssl', ['s_client', ...where, '-status', ...further]);
    return out.toString();
  }

  async function reload(): Promise<void> {
    const before = broker.out().length;
    broker.child.kill('SIGHUP');
    await expect.poll(() => broker.out().slice(before), { timeout: 10_000 }).toContain('was read again');
  }

  beforeAll(async () => {
    plant = createTestAuthority('Plant');
    const places = createServer().listen(0, '127.0.0.1');
    await once(places, 'listening');
    const { port: free } = places.address() as AddressInfo;
    places.close();
    await once(places, 'close');
    responder = new OpensslResponder(plant.issuing, free, { signer: responderOf(plant.issuing), minutes: 60 });
    silent = createServer((socket) => void held.push(socket)).listen(0, '127.0.0.1');
    await once(silent, 'listening');
    const quietly = `http://127.0.0.1:${(silent.address() as AddressInfo).port}`;
    for (const [name, url] of [
      ['gate', responder.url],
      ['line', responder.url],
      ['quiet', quietly],
    ] as const) {
      const extensions = [`authorityInfoAccess=OCSP;URI:${url}`];
      const subjectAltName = `DNS:${name}.plant.example`;
      const pair = plant.issue(name, { subjectAltName, extendedKeyUsage: 'serverAuth', extensions });
      pairs.set(name, pair);
      writeFileSync(file(`${name}.crt`), pair.cert);
      writeFileSync(file(`${name}.key`), pair.key, { mode: 0o600 });
    }
    await responder.say({ good: [serial('gate'), serial('line')] });
    mkdirSync(data);
    configure('on');
    broker = await startBroker(data, ['--config', yaml]);
    const [listener] = (await openAdmin(data).status()).listeners;
    port = Number(/:([0-9]+)$/.exec(listener?.url ?? '')?.[1]);
  }, 60_000);
  afterAll(async () => {
    broker.child.kill('SIGTERM');
    await broker.exited;
    await responder.stop();
    for (const socket of held) socket.destroy();
    silent.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it.each(['-tls1_2', '-tls1_3'])(
    'shows each certificate with the answer about it, %s',
    async (version) => {
      for (const name of ['gate', 'line']) {
        await expect
          .poll(() => shown(name, version), { timeout: 10_000 })
          .toContain('OCSP Response Status: successful');
        const text = await shown(name, version);
        expect(text).toContain('Cert Status: good');
        expect(text).toContain(`Serial Number: ${serial(name)}`);
        expect(text).toMatch(new RegExp(`subject=CN ?= ?${name}`));
      }
    },
    60_000,
  );

  it('waits for nobody: with a responder that is silent the handshake goes on without', async () => {
    await expect.poll(() => held.length, { timeout: 10_000 }).toBeGreaterThan(0);
    const text = await shown('quiet', '-tls1_3');
    expect(text).toContain('OCSP response: no response sent');
    expect(text).toMatch(/subject=CN ?= ?quiet/);
    const findings = async () =>
      (await openAdmin(data).status()).findings.map(({ why }) => why).filter((why) => why.includes('staple'));
    await expect.poll(findings, { timeout: 10_000 }).toEqual([expect.stringContaining('nothing new to staple')]);
  }, 60_000);

  it('is off by a reload, and on again', async () => {
    configure('off');
    await reload();
    expect(await shown('gate')).toContain('OCSP response: no response sent');
    configure('on');
    await reload();
    await expect.poll(() => shown('gate'), { timeout: 10_000 }).toContain('OCSP Response Status: successful');
  }, 60_000);
});
