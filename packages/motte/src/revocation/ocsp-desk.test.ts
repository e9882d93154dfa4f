// Responders that are asked about clients: OpenSSL's answers over a server that can also be slow, wrong or hostile. The clock by hand.

import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type RequestListener, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { BrokerEvent } from '@motte/broker/events';
import type { CertificateInUse } from '@motte/broker/ports/trust';
import type { Refusal } from '@motte/broker/ports/verdict';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  createTestAuthority,
  derOf,
  type IssueOptions,
  type TestAuthority,
} from '../../../../test/fixtures/certificates.ts';
import { type AnswerOptions, answerQuestion, responderOf } from '../../../../test/fixtures/ocsp.ts';
import type { OcspSettings } from '../config/settings.ts';
import { type ForeignCas, readForeignCas } from './foreign-cas.ts';
import { OcspDesk, type OcspRules } from './ocsp-desk.ts';

const MINUTE_MS = 60_000;
let plant: TestAuthority;
let cas: ForeignCas;
let issuer: string;
let pump: CertificateInUse;
let valve: CertificateInUse;

let server: Server;
let url: string;
let laterMs: number;
let movedMs: number;
let events: BrokerEvent[];
let news: number;
let listed: string[];
let asked: number;
let says: AnswerOptions;
let answer: RequestListener;

function inUse(name: string, options: IssueOptions = {}, realm = 'ca:plant'): CertificateInUse {
  const { cert } = plant.issue(name, { subjectAltName: '', ...options });
  return { realm, name, serial: new X509Certificate(cert).serialNumber, issuer, der: derOf(cert) };
}

beforeAll(() => {
  plant = createTestAuthority('Plant');
  cas = readForeignCas([{ realm: 'ca:plant', certificates: [plant.root.cert, plant.issuing.cert] }]);
  issuer = [...cas.keys()][1] ?? '';
  pump = inUse('pump-1');
  valve = inUse('valve-1');
});
beforeEach(async () => {
  [laterMs, movedMs, news, asked, events, listed] = [0, 0, 0, 0, [], []];
  says = { good: [pump.serial, valve.serial], minutes: 60 };
  answer = (request, response) =>
    void read(request).then((body) => respond(response, answerQuestion(plant.issuing, body, says)));
  server = createServer((request, response) => {
    asked += 1;
    answer(request, response);
  }).listen(0, '127.0.0.1');
  await once(server, 'listening');
  url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/ocsp`;
});
afterEach(() => {
  server.closeAllConnections();
  server.close();
});

async function read(request: AsyncIterable<Buffer>): Promise<Buffer> {
  const chunks: Buffer[] = [];
  for await (const chunk of request) chunks.push(chunk);
  return Buffer.concat(chunks);
}

const respond = (response: ServerResponse, body: Buffer | string): void => void response.end(body);

function open(entry: Partial<OcspSettings> = {}, unanswered: OcspRules['unanswered'] = 'refuse'): OcspDesk {
  const desk = new OcspDesk({
    clock: { nowMs: () => Date.now() + laterMs + movedMs, monotonicMs: () => performance.now() + laterMs },
    told: (event) => void events.push(event),
    onNews: () => void (news += 1),
    isListed: (serial) => listed.includes(serial),
  });
  const settings = { ca: 'plant', refreshMinutes: 30, ...(entry.hosts === undefined ? { url } : {}), ...entry };
  desk.use({ responders: [settings], unanswered }, cas);
  return desk;
}

/** As lists and answers are searched by: node:crypto writes whole bytes. */
const plainSerial = ({ serial }: CertificateInUse): string => serial.replace(/^0+(?=.)/, '');

const because = async (asking: Promise<Refusal | undefined> | undefined): Promise<string | undefined> =>
  (await asking)?.because;

describe('a certificate that comes', () => {
  it('is asked about once, and let in until the answer ends', async () => {
    const desk = open();
    expect(await desk.ask(pump)).toBeUndefined();
    expect(desk.ask(pump)).toBeUndefined();
    expect(asked).toBe(1);
    laterMs = 61 * MINUTE_MS;
    says = { ...says, args: [] };
    // The answer to a question of then would be of now, which is the past: the clock is only put on for the desk.
    expect(await because(desk.ask(pump))).toContain('has ended');
    expect(asked).toBe(2);
    expect(desk.find(plainSerial(pump), issuer)).toBeUndefined();
  });

  it('is refused if it was revoked, and nobody is asked again while that holds', async () => {
    says = { good: [], revoked: [{ serial: pump.serial, reason: 'superseded' }], minutes: 60 };
    const desk = open();
    expect(await desk.ask(pump)).toMatchObject({
      because: 'the certificate of pump-1 was revoked',
      rule: 'identity.revocation',
    });
    expect(desk.find(plainSerial(pump), issuer)).toEqual({ superseded: true });
    expect(desk.find(plainSerial(valve), issuer)).toBeUndefined();
    expect(news).toBe(1);
    says = { good: [], revoked: [valve.serial], minutes: 60 };
    await desk.ask(valve);
    expect(desk.find(plainSerial(valve), issuer)).toEqual({ superseded: false });
    says = { good: [], revoked: ['0A0B'], minutes: 60 };
    await desk.ask({ ...pump, serial: '0A0B' });
    expect(desk.find('A0B', issuer)).toEqual({ superseded: false });
  });

  it('that the responder does not know is refused, whatever is done without an answer', async () => {
    says = { good: [] };
    expect(await because(open({}, 'accept').ask(pump))).toContain('does not know the certificate of pump-1');
  });

  it('of an authority without a responder, and of our own, is nobody asked about', () => {
    const desk = open();
    expect(desk.ask({ ...pump, realm: 'ca:motte' })).toBeUndefined();
    expect(desk.ask({ ...pump, realm: 'ca:other' })).toBeUndefined();
  });

  it('that comes several times at once is one question', async () => {
    const desk = open();
    expect(await Promise.all([1, 2, 3].map(async () => desk.ask(pump)))).toEqual([undefined, undefined, undefined]);
    expect(asked).toBe(1);
  });
});

describe('no answer that can be believed', () => {
  const stranger = (): AnswerOptions => ({ ...says, signer: responderOf(createTestAuthority('Plant').issuing) });

  it.each<[string, () => void, string]>([
    [
      'about another serial number',
      () => (answer = async (_request, response) => respond(response, await otherAnswer())),
      'about another certificate',
    ],
    ['signed by the wrong key', () => (says = stranger()), 'which CN=Plant issuing did not issue'],
    ['by a device', () => (says = { ...says, signer: plant.issue('pump-9') }), 'not for signing answers'],
    ['that has ended', () => (laterMs = 61 * MINUTE_MS), 'has ended'],
    ['of tomorrow', () => (movedMs = -1440 * MINUTE_MS), 'later than now'],
    ['nonsense', () => (answer = (_request, response) => respond(response, '<html>')), 'no answer to a question'],
    ['empty', () => (answer = (_request, response) => respond(response, '')), 'no answer to a question'],
    ['too much', () => (answer = (_request, response) => respond(response, Buffer.alloc(40_000))), 'larger than 32768'],
    ['an error', () => (answer = (_request, response) => void response.writeHead(500).end()), 'answered 500'],
    [
      'the way to a private address',
      () => (answer = (_request, response) => void response.writeHead(307, { location: 'http://127.0.0.1:1/' }).end()),
      'answered 307; name the final address, none is followed',
    ],
    ['a connection that breaks', () => (answer = (_request, response) => void response.destroy()), 'socket hang up'],
  ])('%s: refused, an event, a finding; with a waiver let in', async (_what, prepare, why) => {
    prepare();
    const desk = open();
    expect(await desk.ask(pump)).toMatchObject({ because: expect.stringContaining(why), rule: 'tls.ocsp' });
    expect(desk.findings()).toMatchObject([{ subject: 'revocation', why: expect.stringContaining(why) }]);
    expect(events).toMatchObject([
      { name: 'revocation.responder-failed', ca: 'plant', why: expect.stringContaining(why) },
    ]);
    const lenient = open({}, 'accept');
    expect(await lenient.ask(pump)).toBeUndefined();
    expect(lenient.findings()).toHaveLength(1);
  });

  async function otherAnswer(): Promise<Buffer> {
    const { encodeOcspRequest } = await import('@motte/pki/status');
    const ca = cas.get(issuer)?.issuer;
    if (ca === undefined) throw new Error('no CA');
    const question = await encodeOcspRequest({ issuer: ca, serial: '0102', nonce: Buffer.alloc(32) });
    return answerQuestion(plant.issuing, question, { good: ['0102'] });
  }

  it('with a waiver does not let in who was known to be revoked', async () => {
    says = { good: [], revoked: [pump.serial], minutes: 1 };
    const desk = open({}, 'accept');
    await desk.ask(pump);
    laterMs = 2 * MINUTE_MS;
    answer = (_request, response) => response.destroy();
    expect(desk.find(plainSerial(pump), issuer)).toBeUndefined();
    expect(await because(desk.ask(pump))).toContain('is not known');
  });

  it('of a responder that a list names', async () => {
    const signer = responderOf(plant.issuing);
    says = { ...says, signer };
    const desk = open();
    expect(await desk.ask(pump)).toBeUndefined();
    listed = [new X509Certificate(signer.cert).serialNumber.replace(/^0+/, '')];
    expect(await because(desk.ask(valve))).toContain('the certificate of the responder was revoked');
  });
});

describe('a responder that says nothing', () => {
  it('is left alone for a while; who comes meanwhile has the answer at once', async () => {
    server.closeAllConnections();
    server.close();
    const desk = open();
    expect(await because(desk.ask(pump))).toContain('ECONNREFUSED');
    expect(await because(desk.ask(valve))).toContain('ECONNREFUSED');
    expect(events).toHaveLength(1);
    server = createServer((request, response) => answer(request, response)).listen(
      Number(new URL(url).port),
      '127.0.0.1',
    );
    await once(server, 'listening');
    expect(await because(desk.ask(pump))).toContain('ECONNREFUSED');
    laterMs = 11_000;
    expect(await desk.ask(pump)).toBeUndefined();
    expect(await desk.ask(valve)).toBeUndefined();
    expect([desk.findings(), events.map(({ name }) => name)]).toEqual([
      [],
      ['revocation.responder-failed', 'revocation.responder-answers'],
    ]);
  });

  it('is asked again in time although the clock was set back, and an answer ends in time', async () => {
    const good = answer;
    answer = (_request, response) => response.destroy();
    const desk = open();
    expect(await because(desk.ask(pump))).toContain('socket hang up');
    answer = good;
    says = { ...says, minutes: 1440 };
    movedMs = -4 * MINUTE_MS;
    laterMs = 11_000;
    expect(await desk.ask(pump)).toBeUndefined();
    expect(desk.ask(pump)).toBeUndefined();
    movedMs = -3 * 1440 * MINUTE_MS;
    laterMs = 1450 * MINUTE_MS;
    expect(desk.ask(pump)).toBeInstanceOf(Promise);
  });

  it('keeps no more than 16 clients waiting, and none that needs no answer', async () => {
    const held: ServerResponse[] = [];
    const desk = open();
    expect(await desk.ask(valve)).toBeUndefined();
    answer = (_request, response) => void held.push(response);
    const one = { ...pump };
    const many = Array.from({ length: 16 }, async (_, n) => desk.ask({ ...one, serial: `${100 + n}` }));
    expect(await desk.ask({ ...one, serial: '200' })).toMatchObject({ reason: 'server-busy', rule: 'tls.ocsp' });
    expect(desk.ask(valve)).toBeUndefined();
    await expect.poll(() => held.length).toBe(16);
    for (const response of held) response.destroy();
    expect((await Promise.all(many)).every((refusal) => refusal?.rule === 'tls.ocsp')).toBe(true);
    answer = (_request, response) => respond(response, '');
    laterMs = 11_000;
    expect(await because(desk.ask(pump))).toContain('no answer to a question');
  });

  it('about one certificate is no reason to refuse another', async () => {
    const good = answer;
    answer = (_request, response) => respond(response, Buffer.of(0x30, 3, 0x0a, 1, 6));
    const desk = open();
    expect(await because(desk.ask(pump))).toContain('unauthorized');
    answer = good;
    expect(await desk.ask(valve)).toBeUndefined();
  });
});

describe('who is connected', () => {
  it('is asked about when it is due, and taken away once it was revoked', async () => {
    says = { ...says, minutes: 600 };
    const desk = open();
    await desk.ask(pump);
    await desk.ask(valve);
    desk.refresh([pump, valve]);
    laterMs = 29 * MINUTE_MS;
    desk.refresh([pump, valve]);
    expect([asked, news]).toEqual([2, 0]);
    says = { good: [valve.serial], revoked: [pump.serial], minutes: 600 };
    laterMs = 31 * MINUTE_MS;
    desk.refresh([pump, valve]);
    await expect.poll(() => news).toBe(1);
    await expect.poll(() => asked).toBe(4);
    expect(desk.find(plainSerial(pump), issuer)).toEqual({ superseded: false });
    expect(desk.find(plainSerial(valve), issuer)).toBeUndefined();
  });

  it('stays while there is no answer, and is not asked about again and again', async () => {
    answer = (_request, response) => respond(response, '');
    const desk = open({}, 'accept');
    await desk.ask(pump);
    expect(asked).toBe(1);
    desk.refresh([pump]);
    desk.refresh([pump]);
    expect([asked, news]).toEqual([1, 0]);
    laterMs = 2 * MINUTE_MS;
    desk.refresh([pump]);
    await expect.poll(() => asked).toBe(2);
  });
});

describe('the responder that a certificate names', () => {
  const naming = (address: string): IssueOptions => ({ extensions: [`authorityInfoAccess=OCSP;URI:${address}`] });

  it('is asked if its host is listed', async () => {
    const { host, port } = new URL(url);
    const device = inUse('pump-2', naming(`http://localhost:${port}/ocsp`));
    says = { good: [device.serial] };
    expect(await open({ hosts: [`localhost:${port}`] }).ask(device)).toBeUndefined();
    expect(asked).toBe(1);
    expect(await because(open({ hosts: [host.replace('127.0.0.1', 'localhost')] }).ask(pump))).toContain(
      'names no responder',
    );
  });

  it('is not asked otherwise, however it is written', async () => {
    const { port } = new URL(url);
    const addresses = [
      `http://127.0.0.1:${port}/`,
      `http://localhost:${port}@127.0.0.1:${port}/`,
      `http://LOCALHOST.:${port}/`,
      `http://0x7f000001:${port}/`,
      `http://2130706433:${port}/`,
      'ftp://localhost/',
      'file:///etc/passwd',
      'nonsense',
    ];
    const desk = open({ hosts: [`localhost:${port}`, 'localhost'] });
    for (const address of addresses) {
      expect(await because(desk.ask(inUse('pump-3', naming(address)))), address).toContain('names no responder');
    }
    expect(asked).toBe(0);
  });
});
