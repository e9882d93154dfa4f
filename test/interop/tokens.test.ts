// `motte start` with a listener for tokens: real clients, keys from a file and from a server, a reload, a server that goes away.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { existsSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openAdmin } from '@motte/admin';
import { afterAll, afterEach, beforeAll, expect, it } from 'vitest';
import { motte, type Started, startBroker } from '../../packages/motte/src/testing/program.ts';
import { createTestAuthority } from '../fixtures/certificates.ts';
import { keySetOf, TestIssuer } from '../fixtures/tokens.ts';
import { describeWith } from './counterparts.ts';
import { run } from './drivers/mosquitto.ts';

const folder = mkdtempSync(join(tmpdir(), 'motte-tokens-'));
const data = join(folder, 'data');
const file = (name: string): string => join(folder, name);
let server: Server;
let answer: { status: number; body: string; headers?: Record<string, string> };
let asked = 0;
let keysPort: number;
let byFile: TestIssuer;
let byServer: TestIssuer;
let broker: Started | undefined;

function configure(tokens: string): void {
  const listener = '{ name: panel, url: "mqtts://127.0.0.1:0", authentication: token }';
  writeFileSync(
    file('motte.yaml'),
    `listeners:\n  - ${listener}\nconsole: off\nidentity:\n  tokens:\n${tokens}log: { shape: json }\n`,
  );
}

const FILE_ISSUER =
  '    - { issuer: "plant", audience: motte, jwks: keys.json, rolesClaim: roles, roles: { machines: device, people: operator, ghosts: ghost } }\n';
const serverIssuer = (): string =>
  `    - { issuer: "https://login", audience: motte, jwks: "https://127.0.0.1:${keysPort}/jwks", jwksCa: login-ca.pem, roles: { "*": device } }\n`;

async function start(): Promise<number> {
  broker = await startBroker(data, ['--config', file('motte.yaml')]);
  const [listener] = (await openAdmin(data).status()).listeners;
  if (!existsSync(file('any/ca.crt'))) await motte(['device', 'add', 'any', '--out', file('any'), '--data', data]);
  return Number(/:([0-9]+)$/.exec(listener?.url ?? '')?.[1]);
}

function token(issuer: TestIssuer, claims: Record<string, unknown>): string {
  return issuer.token({ aud: 'motte', exp: Math.floor(Date.now() / 1000) + 300, ...claims });
}

/** mosquitto_pub's exit code and what it complained of. */
function publish(port: number, name: string, password: string): ReturnType<typeof run> {
  const topic = `devices/${name}/up/t`;
  const args = [
    '-h',
    '127.0.0.1',
    '-p',
    `${port}`,
    '--cafile',
    file('any/ca.crt'),
    '-i',
    name,
    '-u',
    name,
    '-P',
    password,
  ];
  return run('mosquitto_pub', [...args, '-V', '5', '-q', '1', '-t', topic, '-m', 'x']);
}

async function until(condition: () => Promise<boolean> | boolean): Promise<void> {
  for (let n = 0; n < 100; n++) {
    if (await condition()) return;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`it did not happen; the log: ${broker?.out()}`);
}

async function findings(): Promise<string[]> {
  return (await openAdmin(data).status()).findings.map(({ why }) => why).filter((why) => !why.startsWith('trial mode'));
}

describeWith(['mosquitto-clients', 'openssl'], 'motte start with issuers of tokens', () => {
  beforeAll(async () => {
    const authority = createTestAuthority('Login');
    const pair = authority.server();
    writeFileSync(file('login-ca.pem'), authority.ca);
    byFile = new TestIssuer('ES256', 'file-1');
    byServer = new TestIssuer('RS256', 'server-1');
    writeFileSync(file('keys.json'), keySetOf(byFile.jwk));
    answer = { status: 200, body: keySetOf(byServer.jwk) };
    server = createServer(pair, (_request, response) => {
      asked += 1;
      response.writeHead(answer.status, answer.headers).end(answer.body);
    });
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    keysPort = (server.address() as AddressInfo).port;
    mkdirSync(data);
  });
  afterEach(async () => {
    broker?.child.kill('SIGTERM');
    await broker?.exited;
    broker = undefined;
  });
  afterAll(() => {
    server.close();
    rmSync(folder, { recursive: true, force: true });
  });

  it('lets in whom a token proves, by a file and by a server, and says why not', async () => {
    configure(FILE_ISSUER + serverIssuer());
    const port = await start();
    const good = token(byFile, { iss: 'plant', sub: 'pump-1', roles: ['machines'] });
    expect(await publish(port, 'pump-1', good)).toMatchObject({ exit: 0, err: '' });
    expect(await publish(port, 'pump-2', token(byServer, { iss: 'https://login', sub: 'pump-2' }))).toMatchObject({
      exit: 0,
    });
    // The key of one issuer signs nothing for the other.
    const crossed = await publish(port, 'pump-3', token(byFile, { iss: 'https://login', sub: 'pump-3' }));
    expect(crossed.err).toContain('Not authorized');
    const late = await publish(port, 'pump-4', token(byFile, { iss: 'plant', sub: 'pump-4', exp: 1_000_000_000 }));
    expect(late.err).toContain('Not authorized');
    const why = (await motte(['why', 'pump-4', '--data', data])).out;
    expect(why).toContain('the token has expired');
    expect(why).toContain('Have the client fetch a fresh token');
    for (const text of [broker?.out() ?? '', why]) expect(text).not.toContain(good.slice(-30));
    expect(await findings()).toEqual([expect.stringContaining('gives the role ghost, which the policy lacks')]);
  });

  it('starts without the server, says so, and takes its tokens once it answers', async () => {
    configure(FILE_ISSUER + serverIssuer());
    answer = { status: 302, body: '', headers: { location: 'https://127.0.0.1:1/' } };
    const port = await start();
    expect((await findings()).join()).toContain(
      `the server answered 302; name the final address, none is followed; none of its tokens is taken`,
    );
    answer = { status: 200, body: keySetOf(byServer.jwk) };
    const mine = token(byServer, { iss: 'https://login', sub: 'pump-2' });
    const before = asked;
    // Not asked again by tokens so soon; a reload asks.
    for (let n = 0; n < 5; n++) expect((await publish(port, 'pump-2', mine)).err).toContain('Not authorized');
    expect(asked).toBe(before);
    broker?.child.kill('SIGHUP');
    await until(async () => !(await findings()).join().includes('https://login cannot be read'));
    expect(await publish(port, 'pump-2', mine)).toMatchObject({ exit: 0 });
  });

  it('a broken file on reload leaves the old keys in force and is a finding; a removed issuer is gone', async () => {
    configure(FILE_ISSUER + serverIssuer());
    const port = await start();
    writeFileSync(file('keys.json'), '{ "keys": [');
    broker?.child.kill('SIGHUP');
    await until(async () => (await findings()).join().includes('plant cannot be read: it is not a JSON document'));
    const mine = token(byFile, { iss: 'plant', sub: 'pump-1', roles: ['machines'] });
    expect(await publish(port, 'pump-1', mine)).toMatchObject({ exit: 0 });
    writeFileSync(file('keys.json'), keySetOf(byFile.jwk));
    configure(serverIssuer());
    broker?.child.kill('SIGHUP');
    await until(async () => (await openAdmin(data).status()).configNumber === 3);
    expect((await publish(port, 'pump-1', mine)).err).toContain('Not authorized');
  });

  it('names that an issuer may not prove any more are nobody’s at once, others stay', async () => {
    configure(FILE_ISSUER);
    const port = await start();
    const [stays, goes] = ['line-1', 'panel-1'].map((name) => {
      const password = token(byFile, { iss: 'plant', sub: name, roles: ['machines'] });
      const where = ['-h', '127.0.0.1', '-p', `${port}`, '--cafile', file('any/ca.crt')];
      const who = ['-i', name, '-u', name, '-P', password];
      return spawn('mosquitto_sub', [...where, ...who, '-t', `devices/${name}/down/#`], { stdio: 'ignore' });
    });
    try {
      const connected = async () =>
        (await openAdmin(data).clients()).clients
          .filter(({ state }) => state === 'connected')
          .map(({ clientId }) => clientId)
          .sort();
      await until(async () => (await connected()).length === 2);
      configure(FILE_ISSUER.replace('audience', 'names: ["line-*"], audience'));
      broker?.child.kill('SIGHUP');
      await until(async () => (await connected()).join() === 'line-1');
      const { out } = await motte(['why', 'panel-1', '--data', data]);
      expect(out).toContain('a token of plant may not prove the name panel-1');
    } finally {
      for (const child of [stays, goes]) child?.kill('SIGKILL');
    }
  });

  it('refuses to start on a file that is no key set', async () => {
    writeFileSync(file('keys.json'), keySetOf(byFile.privateJwk));
    try {
      configure(FILE_ISSUER);
      const { exit, err } = await motte(['start', '--data', data, '--config', file('motte.yaml')]);
      expect(exit).toBe(4);
      expect(err).toMatch(/cannot read the keys of an issuer: plant: it holds a private or secret key.*MOT-0411/);
    } finally {
      writeFileSync(file('keys.json'), keySetOf(byFile.jwk));
    }
  });
});
