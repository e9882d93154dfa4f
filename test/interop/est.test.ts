// EST with nothing of ours on the device: curl and openssl, as RFC 7030 needs them. It gets the CAs, enrols by a token, connects
// with mosquitto_pub, and enrols again with its certificate.

import { execFile } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { type AddressInfo, createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openAdmin } from '@motte/admin';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { motte, type Started, startBroker } from '../../packages/motte/src/testing/program.ts';
import { describeWith } from './counterparts.ts';

// Each case runs many programs.
vi.setConfig({ testTimeout: 120_000 });

const folder = mkdtempSync(join(tmpdir(), 'motte-est-'));
const data = join(folder, 'data');
const path = (name: string): string => join(folder, name);
let broker: Started;
let base = '';
let port = '';

describeWith(['openssl', 'mosquitto-clients'], 'EST by curl and openssl', () => {
  beforeAll(async () => {
    mkdirSync(data);
    const server = createServer().listen(0, '127.0.0.1');
    await once(server, 'listening');
    const free = (server.address() as AddressInfo).port;
    server.close();
    await once(server, 'close');
    base = `https://127.0.0.1:${free}/.well-known/est`;
    const url = `https://127.0.0.1:${free}`;
    writeFileSync(
      join(data, 'motte.yaml'),
      `listeners:\n  - { name: devices, url: "mqtts://127.0.0.1:0" }\nconsole: off\nenrol: { url: "${url}", est: on }\n`,
    );
    broker = await startBroker(data);
    await vi.waitFor(async () => {
      const { listeners } = await openAdmin(data).status();
      if (!listeners.some(({ name }) => name === 'enrol')) throw new Error('not open yet');
      port = /:([0-9]+)$/.exec(listeners[0]?.url ?? '')?.[1] ?? '';
    }, 20_000);
  });
  afterAll(async () => {
    broker?.child.kill('SIGKILL');
    await broker?.exited;
    rmSync(folder, { recursive: true, force: true });
  });

  it('hands out its CAs and what a request should be, in forms that openssl reads', async () => {
    await sh(`curl -sk ${base}/cacerts -o cacerts.b64 -D head`);
    expect(readFileSync(path('head'), 'utf8')).toMatch(/content-type: application\/pkcs7-mime/i);
    await sh('openssl base64 -d -in cacerts.b64 | openssl pkcs7 -inform DER -print_certs -out cas.pem');
    expect(readFileSync(path('cas.pem'), 'utf8').match(/BEGIN CERTIFICATE/g)).toHaveLength(2);
    const attributes = await sh(
      `curl -s --cacert cas.pem ${base}/csrattrs | openssl base64 -d | openssl asn1parse -inform DER`,
    );
    expect(attributes.out).toMatch(/ecdsa-with-SHA256[\s\S]*id-ecPublicKey[\s\S]*prime256v1/);
  });

  it('certifies a key by name and token, once, and the certificate opens the broker', async () => {
    const made = await motte(['device', 'add', 'meter', '--token', '--json', '--data', data], folder);
    const { user, password } = JSON.parse(made.out).token.est;
    await sh('openssl ecparam -name prime256v1 -genkey -noout -out meter.key');
    await sh('openssl req -new -key meter.key -subj /CN=meter -outform DER | openssl base64 -out meter.b64');
    const post = `curl -s --cacert cas.pem -H 'Content-Type: application/pkcs10' -H 'Content-Transfer-Encoding: base64' --data-binary @meter.b64`;
    expect((await sh(`${post} -o /dev/null -w '%{http_code}' ${base}/simpleenroll`)).out).toBe('401');
    expect(
      (await sh(`${post} -u ${user}:AAAAAAAAAAAAAAAAAAAAAA -o /dev/null -w '%{http_code}' ${base}/simpleenroll`)).out,
    ).toBe('401');
    const enrolled = await sh(`${post} -u ${user}:${password} -o meter.p7 -w '%{http_code}' ${base}/simpleenroll`);
    expect(enrolled.out).toBe('200');
    await sh('openssl base64 -d -in meter.p7 | openssl pkcs7 -inform DER -print_certs -out meter.crt');
    expect((await sh('openssl verify -CAfile cas.pem meter.crt')).out).toContain('OK');
    const publish = await sh(
      `mosquitto_pub -h 127.0.0.1 -p ${port} --cafile cas.pem --cert meter.crt --key meter.key -i meter -q 1 -V mqttv5 -t devices/meter/up/x -m 1`,
    );
    expect(publish).toMatchObject({ exit: 0, err: '' });
    await sh('openssl ecparam -name prime256v1 -genkey -noout -out other.key');
    await sh('openssl req -new -key other.key -subj /CN=meter -outform DER | openssl base64 -out other.b64');
    const replayed = post.replace('meter.b64', 'other.b64');
    expect(
      (await sh(`${replayed} -u ${user}:${password} -o /dev/null -w '%{http_code}' ${base}/simpleenroll`)).out,
    ).toBe('401');
    expect((await motte(['why', 'last', '--data', data])).out).toContain('the token of meter was used already');
  });

  it('renews by the certificate: the same key at once, a new key after somebody approved it', async () => {
    const post = `curl -s --cacert cas.pem --cert meter.crt --key meter.key -H 'Content-Type: application/pkcs10' --data-binary`;
    expect((await sh(`${post} @meter.b64 -o again.p7 -w '%{http_code}' ${base}/simplereenroll`)).out).toBe('200');
    await sh('openssl base64 -d -in again.p7 | openssl pkcs7 -inform DER -print_certs -out again.crt');
    expect(readFileSync(path('again.crt'), 'utf8')).not.toBe(readFileSync(path('meter.crt'), 'utf8'));
    const newKey = `${post} @other.b64 -o new.p7 -w '%{http_code}' ${base}/simplereenroll`;
    expect((await sh(newKey)).out).toBe('202');
    const requests = JSON.parse((await motte(['device', 'requests', '--json', '--data', data])).out).requests;
    const own = await sh('openssl pkey -in other.key -pubout -outform DER | openssl sha256 -r | cut -c1-64');
    expect(requests).toMatchObject([{ name: 'meter', kind: 'new-key', fingerprint: own.out.trim() }]);
    expect((await motte(['device', 'approve', 'meter', '--data', data])).exit).toBe(0);
    expect((await sh(newKey)).out).toBe('200');
    await sh('openssl base64 -d -in new.p7 | openssl pkcs7 -inform DER -print_certs -out new.crt');
    expect((await sh('openssl verify -CAfile cas.pem new.crt')).out).toContain('OK');
    expect(existsSync(path('new.crt'))).toBe(true);
    const without = post.replace('--cert meter.crt --key meter.key ', '');
    expect((await sh(`${without} @meter.b64 -o /dev/null -w '%{http_code}' ${base}/simplereenroll`)).out).toBe('403');
    expect((await sh(`${post} garbage -o /dev/null -w '%{http_code}' ${base}/simplereenroll`)).out).toBe('400');
  });
});

function sh(script: string): Promise<{ exit: number; out: string; err: string }> {
  return new Promise((resolve) => {
    execFile('sh', ['-c', script], { cwd: folder }, (fault, out, err) => {
      resolve({ exit: typeof fault?.code === 'number' ? fault.code : 0, out, err });
    });
  });
}
