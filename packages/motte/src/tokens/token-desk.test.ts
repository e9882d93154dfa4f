// What administrators do about tokens, on a book in a directory of its own.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MotteError } from '@motte/admin/errors';
import type { BrokerEvent } from '@motte/broker/events';
import type { ProofQuery } from '@motte/broker/ports/admin-view';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { parseText } from '../config/config.ts';
import { TokenBook } from './token-book.ts';
import { createTokenDesk } from './token-desk.ts';

const NOW_MS = 1_900_000_000_000;
const ENTRY = { issuer: 'plant', audience: 'motte', jwks: '/etc/keys.json', names: ['pump-*'] };
const IN_FILE = parseText('identity: { tokens: [{ issuer: login, audience: motte, jwks: keys.json }] }', 'x').identity;

let folder: string;
let nowMs: number;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'motte-token-desk-'));
  nowMs = NOW_MS;
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

const path = (): string => join(folder, 'tokens.json');

function open({ endsAtMs = 0, prepare }: { endsAtMs?: number; prepare?: () => Promise<() => void> } = {}) {
  const ended: ProofQuery[] = [];
  const told: BrokerEvent[] = [];
  const inForce: string[] = [];
  const book = new TokenBook(path(), () => nowMs);
  const desk = createTokenDesk({
    book,
    configured: () => IN_FILE.tokens,
    prepare:
      prepare ??
      (async ({ issuer }) =>
        () =>
          void inForce.push(issuer)),
    drop: (issuer) => void inForce.splice(inForce.indexOf(issuer), 1),
    faultOf: () => undefined,
    end: (query) => {
      ended.push(query);
      return { connections: 2, sessions: 1, endsAtMs };
    },
    told: (event) => told.push(event),
    nowMs: () => nowMs,
  });
  return { desk, book, ended, told, inForce };
}

describe('an issuer', () => {
  it('is recorded as it was given, for its owner alone, and is there after a restart', async () => {
    const { desk, inForce, told } = open();
    expect(await desk.add(ENTRY)).toEqual({
      issuer: 'plant',
      audience: 'motte',
      jwks: '/etc/keys.json',
      names: ['pump-*'],
      kind: 'device',
      from: 'data',
    });
    expect(inForce).toEqual(['plant']);
    expect(told).toMatchObject([{ name: 'issuer.added', issuer: 'plant' }]);
    expect(statSync(path()).mode & 0o777).toBe(0o600);
    expect(JSON.parse(readFileSync(path(), 'utf8'))).toEqual({ format: 1, issuers: [ENTRY], revocations: [] });
    const { desk: again } = open();
    expect(again.issuers().map(({ issuer, from }) => `${issuer} ${from}`)).toEqual(['login motte.yaml', 'plant data']);
  });

  it.each([
    ['no audience', { issuer: 'plant', jwks: '/k' }, 'audience is missing'],
    ['http', { ...ENTRY, jwks: 'http://x/keys' }, 'jwks: must be https://HOST/PATH'],
    ['a relative path', { ...ENTRY, jwks: 'keys.json' }, 'keys.json: the path of a file must be absolute'],
    ['a relative CA', { ...ENTRY, jwks: 'https://x/keys', jwksCa: 'ca.pem' }, 'ca.pem: the path of a file must be'],
    ['a shared secret', { ...ENTRY, algorithms: ['HS256'] }, 'algorithms[0]: must be one of ES256'],
    ['names of nobody', { ...ENTRY, names: ['*'] }, 'names[0]: must be a name'],
    ['an unknown key', { ...ENTRY, secret: 'x' }, 'secret: unknown key'],
    ['a name of the language', JSON.parse('{"__proto__": {}, "issuer": "plant"}'), '__proto__: unknown key'],
  ])('with %s is refused, and nothing is recorded', async (_what, entry, why) => {
    const { desk } = open();
    await expect(desk.add(entry)).rejects.toMatchObject({ code: 'MOT-0650', why: expect.stringContaining(why) });
    expect(() => statSync(path())).toThrow('ENOENT');
  });

  it('is one, also when two ask at once, and when motte.yaml has it', async () => {
    const { desk } = open();
    const outcomes = await Promise.allSettled([desk.add(ENTRY), desk.add({ ...ENTRY, audience: 'other' })]);
    expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'rejected']);
    expect(outcomes[1]).toMatchObject({ reason: { code: 'MOT-0651' } });
    await expect(desk.add({ ...ENTRY, issuer: 'login' })).rejects.toMatchObject({ code: 'MOT-0651' });
    expect(desk.issuers()).toHaveLength(2);
  });

  it('whose keys cannot be used, or that cannot be written, is not in force', async () => {
    const refused = new MotteError('MOT-0411', 'no keys');
    const { desk } = open({ prepare: () => Promise.reject(refused) });
    await expect(desk.add(ENTRY)).rejects.toBe(refused);
    mkdirSync(`${path()}.new`);
    const { desk: full, inForce, told } = open();
    await expect(full.add(ENTRY)).rejects.toThrow('EISDIR');
    expect([inForce, told, full.issuers().length]).toEqual([[], [], 1]);
  });

  it('is removed with all that its tokens proved; one of motte.yaml is not', async () => {
    const { desk, ended, inForce, told } = open();
    await desk.add(ENTRY);
    expect(await desk.remove('plant')).toEqual({ connections: 2, sessions: 1 });
    expect(ended).toEqual([{ realm: 'token:plant', because: 'the issuer plant was removed', rule: 'identity.tokens' }]);
    expect(inForce).toEqual([]);
    expect(told.at(-1)).toMatchObject({ name: 'issuer.removed', sessions: 1 });
    await expect(desk.remove('plant')).rejects.toMatchObject({ code: 'MOT-0652' });
    await expect(desk.remove('login')).rejects.toMatchObject({ code: 'MOT-0653' });
  });

  it('is one of 64 at the most', async () => {
    const { desk } = open();
    for (let n = 0; n < 64; n++) await desk.add({ ...ENTRY, issuer: `plant-${n}` });
    await expect(desk.add(ENTRY)).rejects.toMatchObject({ code: 'MOT-0654' });
  });
});

describe('a revocation', () => {
  it('of a token lasts as long as the token, where somebody was connected by it', async () => {
    const { desk, ended, told } = open({ endsAtMs: NOW_MS + 60_000 });
    const choice = { issuer: 'login', id: 't-1' };
    const { revocation } = await desk.revoke(choice, 0);
    expect(revocation).toEqual({ ...choice, revokedAtMs: NOW_MS, untilMs: NOW_MS + 60_000 });
    expect(ended).toEqual([
      {
        realm: 'token:login',
        token: 't-1',
        because: 'the token "t-1" was revoked',
        rule: 'identity.tokens.revoked',
      },
    ]);
    expect(told).toMatchObject([{ name: 'token.revoked', token: 't-1', connections: 2 }]);
    const { desk: again } = open();
    expect(again.revocations()).toEqual([revocation]);
    nowMs += 60_000;
    expect(again.revocations()).toEqual([]);
  });

  it('of a name lasts until it is lifted, whenever the tokens end', async () => {
    const { desk, ended, book } = open({ endsAtMs: NOW_MS + 60_000 });
    const choice = { issuer: 'login', name: 'ada' };
    expect(await desk.revoke(choice, 0)).toMatchObject({ revocation: { untilMs: 0 } });
    expect(ended).toMatchObject([{ realm: 'token:login', name: 'ada', kind: 'device' }]);
    await desk.lift(choice);
    expect([...book.revocations]).toEqual([]);
    await expect(desk.lift(choice)).rejects.toMatchObject({ code: 'MOT-0656' });
  });

  it('of nobody known is a mistake', async () => {
    const { desk, ended } = open();
    await expect(desk.revoke({ issuer: 'Login', id: 't' }, 0)).rejects.toMatchObject({ code: 'MOT-0652' });
    expect(ended).toEqual([]);
  });

  it('is one of 10,000 at the most; what is over makes room', async () => {
    const revocations = Array.from({ length: 10_000 }, (_, n) => {
      return { issuer: 'login', id: `t-${n}`, revokedAtMs: NOW_MS, untilMs: n === 0 ? NOW_MS + 1 : 0 };
    });
    writeFileSync(path(), JSON.stringify({ format: 1, issuers: [], revocations }));
    const { desk } = open();
    await expect(desk.revoke({ issuer: 'login', id: 'more' }, 0)).rejects.toMatchObject({ code: 'MOT-0654' });
    await desk.revoke({ issuer: 'login', id: 't-1' }, NOW_MS + 5_000);
    nowMs += 1;
    await desk.revoke({ issuer: 'login', id: 'more' }, 0);
    expect(desk.revocations()).toHaveLength(10_000);
  });
});

describe('a book that is damaged', () => {
  it.each([
    ['no JSON', '{', 'not a JSON document'],
    ['a later format', '{"format":2}', 'format 2, this version reads 1'],
    ['no lists', '{"format":1}', 'no lists of issuers and revocations'],
    ['half a revocation', '{"format":1,"issuers":[],"revocations":[{"issuer":"a","id":"b"}]}', 'revocation 1 is not'],
    ['both', '{"format":1,"issuers":[],"revocations":[{"issuer":"a","id":"b","name":"c"}]}', 'revocation 1 is not'],
  ])('%s is refused, and stays as it is', (_what, text, why) => {
    writeFileSync(path(), text);
    expect(() => open()).toThrow(expect.objectContaining({ code: 'MOT-0655', why: expect.stringContaining(why) }));
    expect(readFileSync(path(), 'utf8')).toBe(text);
  });
});
