import { X509Certificate } from 'node:crypto';
import { promises as fs } from 'node:fs';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { openBrokerAuthority } from '../client/client.ts';
import { Ledger } from '../issue/ledger.ts';
import { createKeyAndCsr } from '../keys.ts';
import { TOKENS_MAX } from '../limits.ts';
import { deviceNameOf } from '../protocol/names.ts';
import { NOW, withAuthorityAt } from '../testing/authority-at.ts';
import { EnrolmentBook } from './book.ts';
import { encodeToken } from './token.ts';

afterEach(() => {
  vi.restoreAllMocks();
});

const csrOf = async () => (await createKeyAndCsr('x', { type: 'ec' })).csr;
const HOUR = 3_600_000;
const order = { name: 'pump-1', roles: ['device', 'operator'], seconds: 3_600 };
const textOf = (made: { secret: string; fingerprint: string; name: string; roles: readonly string[] }) =>
  encodeToken({ url: 'https://broker:8446', ...made });
const refused = (why: RegExp) => ({ code: 'MOT-0444', why: expect.stringMatching(why) });

it('a token gives one certificate, for the name and with the roles it was made for', () =>
  withAuthorityAt(async ({ authority: { administrator, brokerSocket }, data }) => {
    const made = await administrator.addToken(order);
    expect(Buffer.from(made.secret, 'base64url')).toHaveLength(16);
    expect(made.endsAt).toBe(new Date(NOW + HOUR).toISOString());
    const device = await openBrokerAuthority(brokerSocket).redeemToken({ token: textOf(made), csr: await csrOf() });
    expect(device).toMatchObject({ name: 'pump-1', roles: ['device', 'operator'] });
    expect(deviceNameOf(new X509Certificate(device.certificate))).toBe('pump-1');
    for (const file of ['enrolment.json', 'issued.jsonl']) {
      const text = await fs.readFile(join(data, 'pki', file), 'utf8');
      expect(text).not.toContain(made.secret);
      expect(text).not.toContain(Buffer.from(made.secret, 'base64url').toString('hex'));
    }
    expect((await fs.stat(join(data, 'pki', 'enrolment.json'))).mode & 0o777).toBe(0o600);
  }));

it('the same key gets the same certificate again while the token lives, and any other key nothing', () =>
  withAuthorityAt(async (world) => {
    const token = textOf(await world.authority.administrator.addToken(order));
    const csr = await csrOf();
    const first = await world.authority.broker.redeemToken({ token, csr });
    await world.again();
    const { broker, administrator } = world.authority;
    expect(await broker.redeemToken({ token, csr })).toEqual(first);
    await expect(broker.redeemToken({ token, csr: await csrOf() })).rejects.toMatchObject(refused(/used already/));
    expect((await administrator.showDevice('pump-1')).certificates).toBe(1);
    world.time.ms += HOUR;
    await expect(broker.redeemToken({ token, csr })).rejects.toMatchObject(refused(/ended on 2026-06-01T01:00/));
  }));

it('of two who redeem one token at once, one gets a certificate', () =>
  withAuthorityAt(async ({ authority: { administrator, brokerSocket } }) => {
    const token = textOf(await administrator.addToken(order));
    const broker = openBrokerAuthority(brokerSocket);
    const csrs = await Promise.all([csrOf(), csrOf(), csrOf(), csrOf()]);
    const outcomes = await Promise.allSettled(csrs.map((csr) => broker.redeemToken({ token, csr })));
    expect(outcomes.filter(({ status }) => status === 'fulfilled')).toHaveLength(1);
    for (const outcome of outcomes) {
      if (outcome.status === 'rejected')
        expect(outcome.reason).toMatchObject(refused(/used already, with another key/));
    }
    expect((await administrator.showDevice('pump-1')).certificates).toBe(1);
  }));

it('five wrong tries and the token is dead, for whoever has the right one as well, also after a restart', () =>
  withAuthorityAt(async (world) => {
    const made = await world.authority.administrator.addToken(order);
    const csr = await csrOf();
    const wrong = { ...made, secret: Buffer.alloc(16).toString('base64url') };
    for (let n = 1; n <= 5; n += 1) {
      if (n === 4) await world.again();
      await expect(world.authority.broker.redeemToken({ token: textOf(wrong), csr })).rejects.toMatchObject(
        refused(new RegExp(`a wrong token for pump-1, try ${n} of 5`)),
      );
    }
    const { broker, administrator } = world.authority;
    await expect(broker.redeemToken({ token: textOf(made), csr })).rejects.toMatchObject(refused(/died after 5/));
    expect((await administrator.enrolments()).tokens).toMatchObject([{ name: 'pump-1', state: 'dead', wrongTries: 5 }]);
    // A new one is a new chance.
    await broker.redeemToken({ token: textOf(await administrator.addToken(order)), csr });
  }));

it('a token of another broker, for another name or in pieces gives nothing and harms nobody', () =>
  withAuthorityAt(async ({ authority: { administrator, broker } }) => {
    const made = await administrator.addToken(order);
    const csr = await csrOf();
    const ask = (token: string) => broker.redeemToken({ token, csr });
    await expect(ask(textOf({ ...made, fingerprint: 'ab'.repeat(32) }))).rejects.toMatchObject(
      refused(/another broker/),
    );
    await expect(ask(textOf({ ...made, name: 'pump-2' }))).rejects.toMatchObject(refused(/no token for pump-2/));
    await expect(ask(textOf(made).slice(0, -1))).rejects.toMatchObject(refused(/not the whole/));
    await expect(ask('')).rejects.toMatchObject(refused(/not a token/));
    await expect(ask('x'.repeat(50_000))).rejects.toMatchObject(refused(/not a token/));
    expect((await administrator.enrolments()).tokens).toMatchObject([{ state: 'open', wrongTries: 0 }]);
    expect((await administrator.listDevices()).length).toBe(0);
    // What a token says of roles is for people: the authority gives what it wrote down.
    const device = await ask(textOf({ ...made, roles: ['administrator'] }));
    expect(device.roles).toEqual(['device', 'operator']);
  }));

it('a request that cannot be used leaves the token as it was', () =>
  withAuthorityAt(async ({ authority: { administrator, broker } }) => {
    const token = textOf(await administrator.addToken(order));
    const good = await csrOf();
    const middle = Math.floor(good.length / 2);
    const torn = `${good.slice(0, middle)}${good[middle] === 'A' ? 'B' : 'A'}${good.slice(middle + 1)}`;
    for (const csr of ['', 'garbage', good.slice(0, 100), torn, good + good, 'x'.repeat(40_000)]) {
      await expect(broker.redeemToken({ token, csr })).rejects.toMatchObject({ code: 'MOT-0430' });
    }
    expect((await administrator.enrolments()).tokens).toMatchObject([{ state: 'open', wrongTries: 0 }]);
    expect(await broker.redeemToken({ token, csr: good })).toMatchObject({ name: 'pump-1' });
  }));

it('a crash between the binding and the certificate is repaired by asking again with the same key', () =>
  withAuthorityAt(async (world) => {
    const token = textOf(await world.authority.administrator.addToken(order));
    const csr = await csrOf();
    vi.spyOn(Ledger.prototype, 'append').mockRejectedValueOnce(new Error('power cut'));
    await expect(world.authority.broker.redeemToken({ token, csr })).rejects.toThrow('power cut');
    await world.again();
    const { broker, administrator } = world.authority;
    await expect(broker.redeemToken({ token, csr: await csrOf() })).rejects.toMatchObject(refused(/another key/));
    expect(await broker.redeemToken({ token, csr })).toMatchObject({ name: 'pump-1' });
    expect((await administrator.showDevice('pump-1')).certificates).toBe(1);
  }));

it('a disk that refuses keeps the token whole and issues nothing', () =>
  withAuthorityAt(async ({ authority: { administrator, broker } }) => {
    const token = textOf(await administrator.addToken(order));
    const csr = await csrOf();
    vi.spyOn(EnrolmentBook.prototype, 'change').mockRejectedValueOnce(new Error('disk full'));
    await expect(broker.redeemToken({ token, csr })).rejects.toThrow('disk full');
    expect(await administrator.listDevices()).toEqual([]);
    expect(await broker.redeemToken({ token, csr })).toMatchObject({ name: 'pump-1' });
  }));

it('a later token, and a certificate made by hand, void an earlier token', () =>
  withAuthorityAt(async ({ authority: { administrator, broker } }) => {
    const csr = await csrOf();
    const [first, second] = [await administrator.addToken(order), await administrator.addToken(order)];
    await expect(broker.redeemToken({ token: textOf(first), csr })).rejects.toMatchObject(refused(/a wrong token/));
    await administrator.issueDevice({ name: 'pump-1', csr: await csrOf() });
    await expect(broker.redeemToken({ token: textOf(second), csr })).rejects.toMatchObject(refused(/no token/));
  }));

it('tokens are bounded in number and life, and their names are names of devices', () =>
  withAuthorityAt(async ({ authority: { administrator }, data }) => {
    for (const seconds of [0, 59, 31 * 86_400, 60.5, -1]) {
      await expect(administrator.addToken({ ...order, seconds })).rejects.toMatchObject({ code: 'MOT-0426' });
    }
    await expect(administrator.addToken({ ...order, name: 'a/b' })).rejects.toMatchObject({ code: 'MOT-0433' });
    const book = await EnrolmentBook.open(join(data, 'pki'));
    expect(book.now.tokens).toEqual([]);
    const state = vi.spyOn(EnrolmentBook.prototype, 'now', 'get');
    const one = { ...order, hash: '', madeAtMs: NOW, endsAtMs: NOW + 1, wrongTries: 0, key: '', redeemedAtMs: 0 };
    const tokens = Array.from({ length: TOKENS_MAX }, (_, n) => ({ ...one, name: `d${n}` }));
    state.mockReturnValue({ tokens, requests: [], join: { roles: [], endsAtMs: 0 } });
    await expect(administrator.addToken(order)).rejects.toMatchObject({ code: 'MOT-0446' });
  }));

it('the broker is told at once when something is open, and when it is over', () =>
  withAuthorityAt(async ({ authority: { administrator, broker }, time }) => {
    const closed = await broker.watchEnrolment(0);
    expect(closed).toMatchObject({ open: false, why: '' });
    const watching = broker.watchEnrolment(closed.number);
    const token = textOf(await administrator.addToken(order));
    const begun = performance.now();
    const open = await watching;
    expect(performance.now() - begun).toBeLessThan(500);
    expect(open).toMatchObject({ open: true, why: 'tokens' });
    await broker.redeemToken({ token, csr: await csrOf() });
    // The answer may have been lost: for ten minutes it can be fetched again.
    expect(await broker.watchEnrolment(0)).toMatchObject({ open: true });
    time.ms += 600_000;
    expect(await broker.watchEnrolment(open.number)).toMatchObject({ open: false });
  }));

it('a damaged list of tokens is named and nothing starts on it', () =>
  withAuthorityAt(async (world) => {
    await world.authority.administrator.addToken(order);
    for (const text of ['{', '{}', '{"format":1,"tokens":[{"name":"a"}],"requests":[],"join":{"endsAtMs":0}}']) {
      await fs.writeFile(join(world.data, 'pki', 'enrolment.json'), text);
      await expect(world.again()).rejects.toMatchObject({ code: 'MOT-0443' });
    }
    await fs.rm(join(world.data, 'pki', 'enrolment.json'));
    await world.again();
    expect((await world.authority.administrator.enrolments()).tokens).toEqual([]);
  }));
