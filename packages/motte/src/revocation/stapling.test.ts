// What is stapled to server certificates: OpenSSL's answers, kept while they hold, one for each certificate. The clock by hand.

import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { createTestAuthority, type Pair, type TestAuthority } from '../../../../test/fixtures/certificates.ts';
import { type AnswerOptions, answerQuestion } from '../../../../test/fixtures/ocsp.ts';
import { Stapling } from './stapling.ts';

const MINUTE_MS = 60_000;
let plant: TestAuthority;
let server: Server;
let url: string;
let gate: Pair;
let line: Pair;
let laterMs: number;
let asked: number;
let says: AnswerOptions;
let answer: RequestListener;

const material = (shown: Pair, ...further: Pair[]) => ({ ...shown, clientCa: '', further });
const serialOf = ({ cert }: Pair): string => new X509Certificate(cert).serialNumber;

function serverPair(name: string): Pair {
  const extensions = [`authorityInfoAccess=OCSP;URI:${url}`];
  return plant.issue(name, { subjectAltName: `DNS:${name}`, extendedKeyUsage: 'serverAuth', extensions });
}

function open(...shown: [Pair, ...Pair[]]): Stapling {
  const stapling = new Stapling({
    clock: { nowMs: () => Date.now() + laterMs, monotonicMs: () => performance.now() + laterMs },
  });
  stapling.use(stapling.added(material(...shown), 'on'));
  return stapling;
}

beforeAll(() => {
  plant = createTestAuthority('Plant');
});
beforeEach(async () => {
  [laterMs, asked] = [0, 0];
  answer = async (request, response) => {
    const chunks: Buffer[] = [];
    for await (const chunk of request) chunks.push(chunk as Buffer);
    response.end(answerQuestion(plant.issuing, Buffer.concat(chunks), says));
  };
  server = createServer((request, response) => {
    asked += 1;
    answer(request, response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/`;
  [gate, line] = [serverPair('gate.example'), serverPair('line.example')];
  says = { good: [gate, line].map(serialOf), minutes: 60 };
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

describe('an answer about a server certificate', () => {
  it('is there once it was fetched, for that certificate alone, until it ends; a new one is fetched halfway', async () => {
    const stapling = open(gate, line);
    expect(stapling.of(gate.cert)).toBeUndefined();
    await stapling.look();
    const [one, other] = [stapling.of(gate.cert), stapling.of(line.cert)];
    expect(one?.length).toBeGreaterThan(100);
    expect(other?.length).toBeGreaterThan(100);
    expect(one).not.toEqual(other);
    await stapling.look();
    expect([asked, stapling.findings()]).toEqual([2, []]);
    laterMs = 31 * MINUTE_MS;
    await stapling.look();
    expect(asked).toBe(4);
    answer = (_request, response) => response.destroy();
    laterMs = 62 * MINUTE_MS;
    await stapling.look();
    expect([stapling.of(gate.cert), stapling.of(line.cert)]).toEqual([undefined, undefined]);
    expect(stapling.findings()).toHaveLength(2);
  });

  it.each<[string, () => void, string]>([
    [
      'that it was revoked',
      () => (says = { good: [serialOf(line)], revoked: [serialOf(gate)], minutes: 60 }),
      'revoked',
    ],
    ['that it is not known', () => (says = { good: [serialOf(line)], minutes: 60 }), 'unknown'],
    ['without an end', () => (says = { good: [serialOf(gate)] }), 'until when it is good'],
    ['of somebody else', () => (says = { ...says, signer: plant.issue('pump-1') }), 'not for signing answers'],
    ['that is nonsense', () => (answer = (_request, response) => void response.end('x')), 'no answer to a question'],
  ])('%s is not shown, and is a finding', async (_what, prepare, why) => {
    prepare();
    const stapling = open(gate);
    await stapling.look();
    expect(stapling.of(gate.cert)).toBeUndefined();
    expect(stapling.findings()).toMatchObject([{ subject: 'certificate', why: expect.stringContaining(why) }]);
    await stapling.look();
    expect(asked).toBe(1);
  });

  it('goes with its certificate: what is not shown any more is not asked about', async () => {
    const stapling = open(gate);
    await stapling.look();
    stapling.use(stapling.added(material(line), 'on'));
    expect(stapling.of(gate.cert)).toBeUndefined();
    stapling.use(stapling.added(material(line), 'off'));
    await stapling.look();
    expect([stapling.of(line.cert), asked]).toEqual([undefined, 1]);
  });

  it('cannot be had without the CA that issued it, and nobody is asked about one that names no responder', async () => {
    const alone = { ...gate, cert: gate.cert.slice(0, gate.cert.indexOf('-----END CERTIFICATE-----') + 26) };
    const stapling = open(alone, plant.server());
    await stapling.look();
    expect([asked, stapling.findings()]).toMatchObject([0, [{ why: expect.stringContaining('does not follow it') }]]);
  });
});
