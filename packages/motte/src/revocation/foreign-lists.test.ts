// The lists of tls.crl over time: replaced, broken, ended, fetched. Lists by OpenSSL, the clock by hand.

import { once } from 'node:events';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type RequestListener, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { BrokerEvent } from '@motte/broker/events';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import {
  createTestAuthority,
  issueFrom,
  selfSignedPair,
  type TestAuthority,
} from '../../../../test/fixtures/certificates.ts';
import { type ListOptions, listDer, makeList, serialOf } from '../../../../test/fixtures/revocation.ts';
import type { RevocationListSettings } from '../config/settings.ts';
import type { ClientAuthority } from '../start/client-authorities.ts';
import { readForeignCas } from './foreign-cas.ts';
import { ForeignLists } from './foreign-lists.ts';
import { ListCache } from './list-cache.ts';

const MINUTE_MS = 60_000;
const DAY_MS = 1440 * MINUTE_MS;
let plant: TestAuthority;
let authorities: ClientAuthority[];
let root: string;
let issuing: string;
let folder: string;
let laterMs: number;
let movedMs: number;
let events: BrokerEvent[];
let news: number;
let server: Server | undefined;

const authorityOf = (id: string, ...certificates: string[]): ClientAuthority => ({ realm: `ca:${id}`, certificates });

beforeAll(() => {
  plant = createTestAuthority('Plant');
  authorities = [
    authorityOf('plant', plant.root.cert, plant.issuing.cert),
    authorityOf('vendor', selfSignedPair('Vendor').cert),
  ];
  [root = '', issuing = ''] = [...readForeignCas(authorities).keys()];
});
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'motte-lists-'));
  laterMs = 0;
  movedMs = 0;
  events = [];
  news = 0;
});
afterEach(async () => {
  rmSync(folder, { recursive: true, force: true });
  server?.closeAllConnections();
  server?.close();
  server = undefined;
});

const file = (name: string): string => join(folder, name);
const clock = { nowMs: () => Date.now() + laterMs + movedMs, monotonicMs: () => performance.now() + laterMs };
const at = (ms: number): Date => new Date(Date.now() + ms);
const list = (options: ListOptions = {}): string => makeList(plant.issuing, options);
const put = (text: string | Buffer, name = 'plant.crl'): void => writeFileSync(file(name), text);
const entry = (more: Partial<RevocationListSettings> = {}): RevocationListSettings => ({
  ca: 'plant',
  refreshMinutes: 60,
  ...(more.url === undefined ? { file: file('plant.crl') } : {}),
  ...more,
});

async function open(entries: readonly RevocationListSettings[], of = authorities): Promise<ForeignLists> {
  const told = (event: BrokerEvent): void => void events.push(event);
  const lists = new ForeignLists({ cache: new ListCache(file('cache')), clock, told, onNews: () => void (news += 1) });
  (await lists.prepare(entries, readForeignCas(of), true))();
  return lists;
}

/** A change counts once the file has been left alone from one look to the next. */
async function settled(lists: ForeignLists): Promise<void> {
  await lists.look();
  await lists.look();
}

async function serve(answer: RequestListener): Promise<string> {
  server = createServer(answer).listen(0, '127.0.0.1');
  await once(server, 'listening');
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/plant.crl`;
}

const refusals = (): string[] =>
  events.flatMap((event) => (event.name === 'revocation.list-refused' ? [event.why] : []));

describe('a list in force', () => {
  it('names what was revoked, of the CA that signed it alone', async () => {
    put(list({ revoked: ['0A', { serial: '0B', reason: 'superseded' }] }));
    const lists = await open([entry()]);
    expect(lists.find('A', issuing)).toEqual({ superseded: false });
    expect(lists.find('B', issuing)).toEqual({ superseded: true });
    expect(lists.find('C', issuing)).toBeUndefined();
    expect(lists.find('A', root)).toBeUndefined();
    expect(lists.staleOf(issuing)).toBeUndefined();
    expect(lists.findings()).toEqual([]);
    expect(events).toMatchObject([{ name: 'revocation.list-read', ca: 'plant', revoked: 2 }]);
  });

  it('is replaced while it changes, and told once', async () => {
    put(list({ number: 1 }));
    const lists = await open([entry()]);
    await settled(lists);
    const before = news;
    put(list({ number: 2, revoked: ['0A'] }));
    await lists.look();
    expect(lists.find('A', issuing)).toBeUndefined();
    await lists.look();
    expect(lists.find('A', issuing)).toEqual({ superseded: false });
    expect(news).toBe(before + 1);
    await settled(lists);
    expect(news).toBe(before + 1);
    expect(events.map(({ name }) => name)).toEqual(['revocation.list-read', 'revocation.list-read']);
  });

  it('of a CA above: who was certified by a CA that is revoked is revoked', async () => {
    put(makeList(plant.root, { revoked: [serialOf(plant.issuing.cert)] }) + list());
    const lists = await open([entry()]);
    expect(lists.find('F00', issuing)).toEqual({ superseded: false });
    put(makeList(plant.root, { number: 2 }) + list());
    await settled(lists);
    expect(lists.find('F00', issuing)).toBeUndefined();
  });

  it('may stand in several files; the newest of a CA counts', async () => {
    put(list({ number: 7, revoked: ['0A'] }));
    put(list({ number: 6, revoked: ['0B'] }), 'other.crl');
    put(makeList(plant.root), 'root.crl');
    const others = ['other.crl', 'root.crl'].map((name) => entry({ file: file(name) }));
    const lists = await open([entry(), ...others]);
    expect([lists.find('A', issuing), lists.find('B', issuing)]).toEqual([{ superseded: false }, undefined]);
    expect(lists.staleOf(issuing)).toBeUndefined();
  });
});

describe('what cannot be used leaves the old list in force, and is a finding', () => {
  it.each<[string, () => string | Buffer, string]>([
    ['half written', () => list({ number: 2 }).slice(0, -40), 'or a part of one'],
    ['half written in DER', () => listDer(list({ number: 2 })).subarray(0, -10), 'cut off'],
    ['empty', () => '', 'empty'],
    ['of the wrong CA', () => makeList(selfSignedPair('Vendor')), 'the list of another CA'],
    ['of the wrong key', () => makeList({ ...selfSignedPair('Plant issuing') }, { number: 2 }), 'is not signed by it'],
    ['with a critical extension', () => list({ number: 2, extensions: ['1.2.3.4=critical,DER:0500'] }), '1.2.3.4'],
    ['a delta', () => list({ number: 2, extensions: ['2.5.29.27=critical,DER:020101'] }), 'delta'],
    ['older by number', () => list({ number: 4 }), 'older than the list of CN=Plant issuing that is in force'],
    ['of tomorrow', () => list({ number: 9, thisUpdate: at(DAY_MS), nextUpdate: at(2 * DAY_MS) }), 'later than now'],
    ['huge', () => Buffer.alloc(8 * 1024 * 1024 + 1, 0x30), 'larger than 8388608 bytes'],
    ['several, one of them wrong', () => list({ number: 9 }) + makeList(selfSignedPair('X')), 'another CA'],
  ])('%s', async (_what, text, why) => {
    put(list({ number: 5, revoked: ['0A'] }));
    const lists = await open([entry()]);
    put(text());
    await settled(lists);
    expect(lists.find('A', issuing)).toEqual({ superseded: false });
    expect(lists.staleOf(issuing)).toBeUndefined();
    expect(lists.findings()).toMatchObject([{ subject: 'revocation', why: expect.stringContaining(why) }]);
    expect(refusals()).toEqual([expect.stringContaining(why)]);
    await settled(lists);
    expect(refusals()).toHaveLength(1);
    put(list({ number: 6 }));
    await settled(lists);
    expect([lists.find('A', issuing), ...lists.findings()]).toEqual([undefined]);
  });

  it('gone', async () => {
    put(list({ revoked: ['0A'] }));
    const lists = await open([entry()]);
    rmSync(file('plant.crl'));
    await settled(lists);
    expect(lists.find('A', issuing)).toEqual({ superseded: false });
    expect(lists.findings()).toMatchObject([{ why: expect.stringContaining('there is no such file') }]);
  });

  it('at a reload it refuses the reload', async () => {
    const lists = await open([]);
    put('nonsense');
    await expect(lists.prepare([entry()], readForeignCas(authorities))).rejects.toMatchObject({ code: 'MOT-0414' });
    put(list());
    (await lists.prepare([entry()], readForeignCas(authorities)))();
    expect(lists.staleOf(issuing)).toBeUndefined();
  });
});

describe('who cannot be let in', () => {
  it('whoever is of a CA whose list was never there, or is not among the lists', async () => {
    const lists = await open([entry()]);
    expect(lists.staleOf(issuing)).toContain(`no revocation list of plant from ${file('plant.crl')}`);
    put(makeList(plant.root));
    await settled(lists);
    expect(lists.staleOf(issuing)).toContain('no revocation list of CN=Plant issuing');
    put(makeList(plant.root) + list());
    await settled(lists);
    expect(lists.staleOf(issuing)).toBeUndefined();
  });

  it('whoever is below a CA whose list has ended; others of other authorities are not looked at', async () => {
    const dates = { thisUpdate: at(-DAY_MS), nextUpdate: at(DAY_MS) };
    put(list({ revoked: ['0A'] }) + makeList(plant.root, dates));
    const lists = await open([entry()]);
    expect(lists.staleOf(issuing)).toBeUndefined();
    laterMs = DAY_MS + 1000;
    await lists.look();
    expect(lists.staleOf(issuing)).toContain('the revocation list of CN=Plant has ended');
    expect(lists.find('A', issuing)).toEqual({ superseded: false });
    expect(lists.findings()).toMatchObject([{ why: expect.stringContaining('CN=Plant has ended') }]);
    await lists.look();
    const ended = events.filter(({ name }) => name === 'revocation.stale');
    expect(ended).toMatchObject([{ ca: 'plant', why: expect.stringContaining('CN=Plant has ended') }]);
    const vendor = [...readForeignCas(authorities).keys()][2] ?? '';
    expect([lists.staleOf(vendor), lists.staleOf('unknown')]).toEqual([undefined, undefined]);
  });

  it('a list that has ended already is still believed in what it names', async () => {
    put(list({ revoked: ['0A'], thisUpdate: at(-2 * DAY_MS), nextUpdate: at(-DAY_MS) }));
    const lists = await open([entry()]);
    expect(lists.find('A', issuing)).toEqual({ superseded: false });
    expect(lists.staleOf(issuing)).toContain('has ended');
  });

  it('a new CA of the authority waits for its list, and the old one keeps its own', async () => {
    put(list());
    const lists = await open([entry()]);
    const next = issueFrom(plant.root, 'Plant two', { ca: true, subjectAltName: '' });
    const cas = readForeignCas([authorityOf('plant', plant.root.cert, plant.issuing.cert, next.cert)]);
    lists.setCas(cas);
    const fresh = [...cas.keys()][2] ?? '';
    expect([lists.staleOf(issuing), lists.staleOf(fresh)]).toEqual([
      undefined,
      expect.stringContaining('CN=Plant two'),
    ]);
    put(list() + makeList(next));
    await settled(lists);
    expect(lists.staleOf(fresh)).toBeUndefined();
  });
});

describe('a list that is fetched', () => {
  it('is fetched again in time, is kept for the next start, and in between nobody is asked', async () => {
    let asked = 0;
    let answer = listDer(list({ number: 1, revoked: ['0A'] }));
    const url = await serve((_request, response) => void (asked++, response.end(answer)));
    const lists = await open([entry({ url, refreshMinutes: 30 })]);
    expect(lists.staleOf(issuing)).toContain(url);
    await lists.look();
    expect(lists.find('A', issuing)).toEqual({ superseded: false });
    await lists.look();
    expect(asked).toBe(1);
    answer = listDer(list({ number: 2, revoked: ['0B'] }));
    laterMs = 30 * MINUTE_MS;
    await lists.look();
    expect([asked, lists.find('A', issuing), lists.find('B', issuing)]).toEqual([2, undefined, { superseded: false }]);
    server?.close();
    const again = await open([entry({ url, refreshMinutes: 30 })]);
    expect(again.find('B', issuing)).toEqual({ superseded: false });
    expect(again.staleOf(issuing)).toBeUndefined();
  });

  it('is fetched in time although the clock was set back', async () => {
    let asked = 0;
    const body = listDer(list());
    const url = await serve((_request, response) => void (asked++, response.end(body)));
    const lists = await open([entry({ url, refreshMinutes: 30 })]);
    await lists.look();
    movedMs = -5 * MINUTE_MS;
    laterMs = 30 * MINUTE_MS;
    await lists.look();
    expect(asked).toBe(2);
  });

  it('is fetched before it ends, however seldom that is asked for', async () => {
    let asked = 0;
    const hour = { thisUpdate: at(0), nextUpdate: at(60 * MINUTE_MS) };
    const body = listDer(list(hour));
    const url = await serve((_request, response) => void (asked++, response.end(body)));
    const lists = await open([entry({ url, refreshMinutes: 1440 })]);
    await lists.look();
    laterMs = 53 * MINUTE_MS;
    await lists.look();
    expect(asked).toBe(1);
    laterMs = 55 * MINUTE_MS;
    await lists.look();
    expect(asked).toBe(2);
  });

  it('is fetched again when the CAs change while it is on its way', async () => {
    let asked = 0;
    const next = issueFrom(plant.root, 'Plant two', { ca: true, subjectAltName: '' });
    const cas = readForeignCas([authorityOf('plant', plant.root.cert, plant.issuing.cert, next.cert)]);
    const bodies = [listDer(list()), Buffer.from(list() + makeList(next))];
    let lists: ForeignLists | undefined = undefined;
    const url = await serve((_request, response) => {
      if (asked === 0) lists?.setCas(cas);
      response.end(bodies[asked++]);
    });
    lists = await open([entry({ url })]);
    await lists.look();
    await lists.look();
    expect([asked, lists.staleOf([...cas.keys()][2] ?? '')]).toEqual([2, undefined]);
  });

  it.each<[string, RequestListener, string]>([
    ['a refusal', (_request, response) => response.writeHead(404).end(), 'answered 404'],
    [
      'the way to another address',
      (_request, response) => response.writeHead(302, { location: 'http://169.254.169.254/' }).end(),
      'answered 302; name the final address, none is followed',
    ],
    ['nonsense', (_request, response) => void response.end('<html>'), 'no revocation list'],
    ['too much', (_request, response) => void response.end(Buffer.alloc(9 * 1024 * 1024)), 'larger than'],
    [
      'an answer that breaks off',
      (_request, response) => void response.write('x', () => response.destroy()),
      'aborted',
    ],
  ])('%s leaves the old one in force, and is tried again after a minute', async (_what, bad, why) => {
    let asked = 0;
    let isBad = false;
    const body = listDer(list({ revoked: ['0A'] }));
    const url = await serve((request, response) => {
      asked += 1;
      if (isBad) bad(request, response);
      else response.end(body);
    });
    const lists = await open([entry({ url, refreshMinutes: 5 })]);
    await lists.look();
    isBad = true;
    laterMs = 5 * MINUTE_MS;
    await lists.look();
    expect(lists.find('A', issuing)).toEqual({ superseded: false });
    expect(lists.findings()).toMatchObject([{ why: expect.stringContaining(why) }]);
    await lists.look();
    expect(asked).toBe(2);
    laterMs = 6 * MINUTE_MS;
    isBad = false;
    await lists.look();
    expect([asked, ...lists.findings()]).toEqual([3]);
  });
});
