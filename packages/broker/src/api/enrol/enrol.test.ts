import { once } from 'node:events';
import { createServer } from 'node:http';
import { request } from 'node:https';
import { connect as connectTcp, Socket } from 'node:net';
import { type ConnectionOptions, connect } from 'node:tls';
import { afterEach, beforeAll, expect, it } from 'vitest';
import { createTestAuthority, type TestAuthority } from '../../../../../test/fixtures/certificates.ts';
import type { EnrolDesk, EnrolOutcome, EnrolRefusal } from '../../ports/enrol.ts';
import { bound } from '../bound.ts';
import { createEnrolApp } from './app.ts';
import { ENROL_LIMITS, type EnrolLimits, type EnrolListener, openEnrolListener } from './listener.ts';
import { SourceRate } from './source-rate.ts';

let authority: TestAuthority;
let tls: { cert: string; key: string; clientCa: string };
beforeAll(() => {
  authority = createTestAuthority('Enrolment test');
  tls = { ...authority.server(), clientCa: authority.ca };
});

const opened: EnrolListener[] = [];
afterEach(async () => {
  await Promise.all(opened.splice(0).map((one) => one.close()));
});

const DEVICE = {
  name: 'pump-1',
  roles: ['device'],
  certificate: 'LEAF',
  issuing: 'CA',
  root: 'ROOT',
  notAfter: 'then',
};
const ISSUED: EnrolOutcome = { state: 'issued', device: DEVICE };

async function open(outcome: (...asked: unknown[]) => EnrolOutcome, limits: Partial<EnrolLimits> = {}) {
  const refusals: EnrolRefusal[] = [];
  const faults: Error[] = [];
  const asked: unknown[] = [];
  const answer = async (what: unknown) => {
    asked.push(what);
    return outcome(what);
  };
  const desk: EnrolDesk = {
    root: 'ROOT',
    roots: 'ROOT NEXT',
    redeem: answer,
    ask: answer,
    renew: answer,
    caCerts: async () => Buffer.from('cas'),
    certsOnly: async (pem) => Buffer.from(pem),
  };
  const where = { host: '127.0.0.1', port: 0, tls, desk, limits };
  const listener = await openEnrolListener({
    ...where,
    onRefused: (one) => refusals.push(one),
    onFault: (one) => faults.push(one),
  });
  opened.push(listener);
  return { port: listener.port, listener, refusals, faults, asked };
}

interface Sent {
  readonly method?: string;
  readonly body?: string;
  readonly headers?: Record<string, string>;
  readonly own?: ConnectionOptions;
}

async function send(port: number, path: string, { method = 'POST', body = '', headers = {}, own = {} }: Sent = {}) {
  const type = headers['content-type'] ?? 'application/json';
  const options = { port, host: '127.0.0.1', path, method, ca: authority.ca, agent: false as const, ...own };
  const outgoing = request({ ...options, headers: { ...headers, 'content-type': type } });
  outgoing.end(body);
  const [response] = await once(outgoing, 'response');
  let text = '';
  for await (const chunk of response) text += String(chunk);
  return { status: response.statusCode as number, text, headers: response.headers as Record<string, string> };
}

const enrol = (port: number, document: unknown = { token: 't', csr: 'c' }) =>
  send(port, '/enrol', { body: JSON.stringify(document) });

it('gives the certificate with its chain, and anybody the root', async () => {
  const { port, asked } = await open(() => ISSUED);
  const { status, text } = await enrol(port);
  expect(status).toBe(200);
  expect(JSON.parse(text)).toEqual({ format: 1, state: 'issued', ...DEVICE });
  expect(asked).toEqual([{ token: 't', csr: 'c' }]);
  expect(await send(port, '/ca', { method: 'GET' })).toMatchObject({ status: 200, text: 'ROOT' });
  expect(await send(port, '/roots', { method: 'GET' })).toMatchObject({ status: 200, text: 'ROOT NEXT' });
});

it('whatever a refusal was for, the peer sees the same bytes, and the operator the reason', async () => {
  let n = 0;
  const becauses = ['there is no token for pump-1', 'a wrong token for pump-1, try 1 of 5', 'it ended'];
  const { port, refusals } = await open(() => ({
    state: 'refused',
    because: becauses[n++] ?? '',
    rule: 'enrol.token',
  }));
  const answers = [await enrol(port), await enrol(port), await enrol(port)];
  expect(new Set(answers.map(({ status, text }) => `${status} ${text}`)).size).toBe(1);
  expect(answers[0]).toMatchObject({ status: 403, text: expect.not.stringContaining('pump-1') });
  expect(refusals.map(({ because }) => because)).toEqual(becauses);
  expect(refusals[0]).toMatchObject({ address: '127.0.0.1', rule: 'enrol.token', seen: 'HTTP 403' });
});

it('asks to come again where somebody has to approve or something is busy', async () => {
  let outcome: EnrolOutcome = { state: 'waiting', name: 'pump-1', id: 'q1', fingerprint: 'ab' };
  const { port, refusals } = await open(() => outcome);
  const waiting = await send(port, '/join', { body: JSON.stringify({ name: 'pump-1', csr: 'c' }) });
  expect(waiting).toMatchObject({ status: 202, headers: { 'retry-after': '30' } });
  expect(JSON.parse(waiting.text)).toMatchObject({ state: 'waiting', id: 'q1', fingerprint: 'ab' });
  expect(refusals).toEqual([]);
  outcome = { state: 'busy', because: 'the authority cannot be reached' };
  expect(await enrol(port)).toMatchObject({ status: 503, text: expect.not.stringContaining('authority') });
  outcome = { state: 'unusable', because: 'its EC key is on secp256k1' };
  expect(await enrol(port)).toMatchObject({ status: 400, text: expect.stringContaining('secp256k1') });
});

it.each([
  ['{', '/enrol', 400],
  ['[]', '/enrol', 400],
  ['{"token":"t"}', '/enrol', 400],
  ['{"token":"t","csr":"c","more":1}', '/enrol', 400],
  ['{"token":1,"csr":"c"}', '/enrol', 400],
  ['{"__proto__":{},"token":"t","csr":"c"}', '/enrol', 400],
  [JSON.stringify({ token: 't', csr: 'x'.repeat(20_000) }), '/enrol', 413],
  ['{}', '/nothing', 404],
])('%.40s at %s is %d, said to the operator, and nobody is asked', async (body, path, status) => {
  const { port, refusals, asked } = await open(() => ISSUED);
  expect(await send(port, path, { body })).toMatchObject({ status, text: expect.stringContaining('not a request') });
  expect(asked).toEqual([]);
  expect(refusals).toMatchObject([{ rule: 'enrol.request', seen: `HTTP ${status}` }]);
});

it('a source that asks too often is told so before anything is read, and others are not', async () => {
  const { port, asked, refusals } = await open(() => ISSUED, { rate: { burst: 3, perMinute: 1, sourcesMax: 10 } });
  for (let n = 0; n < 3; n += 1) expect((await enrol(port)).status).toBe(200);
  expect(await enrol(port)).toMatchObject({ status: 429, headers: { 'retry-after': '30' } });
  expect(asked).toHaveLength(3);
  expect(refusals).toMatchObject([{ rule: 'enrol.rate' }]);
});

it('an IPv6 host is one source, whichever of its addresses it asks from', async () => {
  const desk = { root: 'ROOT' } as EnrolDesk;
  const rate = { burst: 2, perMinute: 1, sourcesMax: 10 };
  const app = await createEnrolApp({ desk, rate, bodyBytesMax: 100, onRefused: () => {}, onFault: () => {} });
  const ask = async (remoteAddress: string) => (await app.inject({ url: '/ca', remoteAddress })).statusCode;
  const addresses = ['2001:db8::1', '2001:db8::2', '2001:db8::3', '2001:db8:0:1::1', '192.0.2.1', '::ffff:192.0.2.1'];
  const answers: number[] = [];
  for (const address of [...addresses, '192.0.2.1']) answers.push(await ask(address));
  expect(answers).toEqual([200, 200, 429, 200, 200, 200, 429]);
  await app.close();

  const server = createServer().removeAllListeners('connection');
  bound(server, { connectionsMax: 10, connectionsPerSourceMax: 1 });
  const sockets = addresses
    .slice(0, 4)
    .map((remoteAddress) => Object.defineProperty(new Socket(), 'remoteAddress', { value: remoteAddress }));
  for (const socket of sockets) server.emit('connection', socket);
  expect(sockets.map(({ destroyed }) => destroyed)).toEqual([false, true, true, false]);
});

it('rates come back with time and are kept for a bounded number of sources', () => {
  let nowMs = 0;
  const rate = new SourceRate({ burst: 2, perMinute: 60, sourcesMax: 2 }, () => nowMs);
  expect(['a', 'a', 'a', 'b'].map((source) => rate.pass(source))).toEqual([true, true, false, true]);
  nowMs += 1_000;
  expect(['a', 'a'].map((source) => rate.pass(source))).toEqual([true, false]);
  rate.pass('c');
  // `b` had not asked for longest.
  expect(rate.pass('a')).toBe(false);
  rate.pass('d');
  expect(rate.pass('c')).toBe(true);
});

it('a renewal has to show a certificate in this very handshake; an ended or foreign one is for the desk to judge', async () => {
  const { port, asked, refusals } = await open(() => ISSUED);
  const body = JSON.stringify({ csr: 'c', proof: 'p' });
  expect(await send(port, '/renew', { body })).toMatchObject({ status: 403 });
  expect(refusals).toMatchObject([{ rule: 'enrol.renew', because: expect.stringContaining('without a certificate') }]);
  for (const own of [authority.issue('pump-1'), authority.issue('pump-1', { days: -1 })]) {
    expect(await send(port, '/renew', { body, own })).toMatchObject({ status: 200 });
  }
  const [leaf] = authority.issue('pump-1').cert.split('-----END');
  expect(leaf).toContain('BEGIN');
  expect(asked).toHaveLength(2);
  expect(asked[0]).toMatchObject({ csr: 'c', proof: 'p', certificate: expect.stringMatching(/^-----BEGIN CERT/) });
});

it.each(['TLSv1.2', 'TLSv1.3'] as const)('%s sessions are not resumed here', async (version) => {
  const { port } = await open(() => ISSUED);
  const versions = { minVersion: version, maxVersion: version, ca: authority.ca, servername: 'localhost' };
  const handshake = async (session?: Buffer) => {
    const socket = connect({ port, host: '127.0.0.1', ...versions, ...(session === undefined ? {} : { session }) });
    socket.on('error', () => undefined);
    let got: Buffer | undefined = undefined;
    socket.on('session', (one: Buffer) => {
      got = one;
    });
    await once(socket, 'secureConnect');
    const reused = socket.isSessionReused();
    socket.write('GET /ca HTTP/1.1\r\nhost: x\r\nconnection: close\r\n\r\n');
    socket.resume();
    await once(socket, 'close');
    return { reused, session: got as Buffer | undefined };
  };
  const { session } = await handshake();
  // TLS 1.3 hands one out; it is good for nothing.
  expect((await handshake(session)).reused).toBe(false);
});

it('TLS is as everywhere: forward secrecy, authenticated encryption and sane groups alone', async () => {
  const { port } = await open(() => ISSUED);
  const attempt = async (own: ConnectionOptions): Promise<string> => {
    const socket = connect({ port, host: '127.0.0.1', ca: authority.ca, servername: 'localhost', ...own });
    const failed = once(socket, 'error').then(([fault]) => (fault as NodeJS.ErrnoException).code ?? '');
    const secured = once(socket, 'secureConnect').then(() => socket.getCipher().name);
    failed.catch(() => undefined);
    secured.catch(() => undefined);
    const outcome = await Promise.race([failed, secured]);
    socket.destroy();
    return outcome;
  };
  const old = { maxVersion: 'TLSv1.2' } as const;
  expect(await attempt({ ...old, ciphers: 'ECDHE-ECDSA-AES128-GCM-SHA256' })).toBe('ECDHE-ECDSA-AES128-GCM-SHA256');
  for (const ciphers of ['ECDHE-ECDSA-AES128-SHA', 'ECDHE-ECDSA-AES256-SHA384', 'ECDHE-ECDSA-AES128-CCM8']) {
    expect(await attempt({ ...old, ciphers }), ciphers).toMatch(/^ERR_SSL_.*ALERT_HANDSHAKE_FAILURE$/);
  }
  expect(await attempt({ ecdhCurve: 'secp521r1' })).toMatch(/^ERR_SSL_.*ALERT_HANDSHAKE_FAILURE$/);
});

it('connections of one source are bounded, and bytes that are no TLS cost nobody anything', async () => {
  const { port } = await open(() => ISSUED, { connectionsPerSourceMax: 3 });
  const held = Array.from({ length: 3 }, () => connectTcp(port, '127.0.0.1').on('error', () => undefined));
  await Promise.all(held.map((socket) => once(socket, 'connect')));
  const fourth = connectTcp(port, '127.0.0.1').on('error', () => undefined);
  await once(fourth, 'close');
  held[0]?.end('GET / HTTP/1.1\r\n\r\n');
  held[0]?.resume();
  if (held[0] !== undefined) await once(held[0], 'close');
  expect(await enrol(port)).toMatchObject({ status: 200 });
  for (const socket of held) socket.destroy();
});

it('closed is closed: who is there is cut off, and nobody else gets in', async () => {
  const { port, listener } = await open(() => ISSUED);
  const idle = connectTcp(port, '127.0.0.1').on('error', () => undefined);
  await once(idle, 'connect');
  const cut = once(idle, 'close');
  await listener.close();
  await cut;
  await expect(enrol(port)).rejects.toThrow('ECONNREFUSED');
  opened.length = 0;
});

it('a fault of ours is one for the log, and tells the peer nothing', async () => {
  const { port, faults } = await open(() => {
    throw new Error('secret path');
  });
  expect(await enrol(port)).toMatchObject({ status: 500, text: expect.not.stringContaining('secret') });
  expect(faults).toMatchObject([{ message: 'secret path' }]);
});

it('EST without name and token is asked for them; a wrong one sees the same', async () => {
  const { port, asked, refusals } = await open(() => ({ state: 'refused', because: 'ended', rule: 'enrol.token' }));
  const at = '/.well-known/est/simpleenroll';
  const headers = { 'content-type': 'application/pkcs10' };
  const missing = await send(port, at, { body: 'AAAA', headers });
  expect(missing).toMatchObject({ status: 401, headers: { 'www-authenticate': 'Basic realm="motte"' } });
  expect(asked).toEqual([]);
  const authorization = `Basic ${Buffer.from('pump-1:secret').toString('base64')}`;
  const wrong = await send(port, at, { body: 'AA\r\nAA', headers: { ...headers, authorization } });
  expect([wrong.status, wrong.text]).toEqual([missing.status, missing.text]);
  expect(asked).toMatchObject([{ token: 'pump-1:secret', csr: expect.stringContaining('\nAAAA\n') }]);
  expect(refusals).toMatchObject([{ name: 'pump-1', because: 'ended', seen: 'HTTP 401' }]);
  const garbage = await send(port, at, { body: '\u0000{}', headers: { ...headers, authorization } });
  expect(garbage.status).toBe(400);
  expect(asked).toHaveLength(1);
});

it('its limits are as they are said to be', () => {
  expect(ENROL_LIMITS).toMatchObject({ connectionsMax: 64, bodyBytesMax: 16_384 });
});
