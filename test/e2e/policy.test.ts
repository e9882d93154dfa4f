// A policy is applied while devices are connected: what is not allowed any more ends, what is newly allowed works, at once and
// on every transport; over kill -9, and where no broker runs. The real program.

import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { MqttClient } from '@motte/client';
import { parseTopicFilter } from '@motte/wire';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { RunningBroker } from './running-broker.ts';

const PLAIN = 'authentication: none, role: lab, waiver: a test';
const broker = new RunningBroker('policy', (data) => [
  '{ name: devices, url: "mqtts://127.0.0.1:0" }',
  '{ name: web, url: "wss://127.0.0.1:0/mqtt" }',
  `{ name: lab, url: "mqtt://127.0.0.1:0", ${PLAIN} }`,
  `{ name: page, url: "ws://127.0.0.1:0/mqtt", ${PLAIN} }`,
  `{ name: socket, url: "mqtt+unix://${data}/lab.sock", ${PLAIN} }`,
]);

/** A file of the folder, named as the test names it. */
function policy(name: string, text: string): string {
  writeFileSync(join(broker.folder, name), text);
  return name;
}

const at = (filter: string) => [{ filter: parseTopicFilter(filter), qos: 1 as const }];
const KEPT = { sessionExpiryInterval: 3_600 };

const DEVICE = `  device:
    - allow publish devices/\${device}/up/#
    - allow subscribe devices/\${device}/down/#
`;
const NARROW = `roles:
${DEVICE}    - allow publish devices/\${device}/extra
    - deny publish devices/+/up/secret/#
  operator:
    - allow subscribe devices/pump-1/#
tests:
  - pump-1 may publish devices/pump-1/extra
  - panel may not subscribe devices/#
`;

beforeAll(async () => {
  await broker.start();
  for (const name of ['pump-1', 'pump-2']) await broker.command('device', 'add', name);
  await broker.command('device', 'add', 'panel', '--role', 'operator');
}, 60_000);
afterAll(() => broker.remove());

describe('`policy apply` on a running broker', () => {
  it('ends subscriptions that lost their right within a second, and leaves everyone else alone', async () => {
    const pump = await broker.connect({ transport: broker.mqtts('pump-1'), clientId: 'pump-1' });
    await pump.subscribe(at('devices/pump-1/down/#'));
    const ways = {
      panel: broker.mqtts('panel'),
      'panel/web': broker.wss('panel'),
      lab: broker.mqtt('lab'),
      page: broker.ws('page'),
      socket: broker.unix('lab.sock'),
    };
    const losers: MqttClient[] = [];
    for (const version of [5, 4] as const) {
      for (const [name, transport] of Object.entries(ways)) {
        losers.push(await broker.connect({ transport, clientId: version === 5 ? name : `${name}/old`, version }));
      }
    }
    for (const one of losers) await one.subscribe(at('devices/+/up/#'));
    const kept = await broker.connect({ transport: broker.mqtts('panel'), clientId: 'panel/kept', properties: KEPT });
    await kept.subscribe(at('devices/#'));
    await kept.subscribe(at('devices/pump-1/up/#'));
    kept.destroy();
    await kept.closed;
    const other = await broker.connect({ transport: broker.mqtts('pump-2'), clientId: 'pump-2' });
    await pump.publish('devices/pump-1/up/a', 'may come', { qos: 1 });
    await other.publish('devices/pump-2/up/a', 'may not', { qos: 1 });
    await expect(pump.publish('devices/pump-1/extra', 'x', { qos: 1 })).rejects.toMatchObject({ code: 0x87 });

    const gone = Promise.all(losers.map(({ closed }) => closed.then((how) => ({ how, ms: performance.now() }))));
    const file = policy('narrow.yaml', NARROW);
    // What it would mean is known before: for subscriptions, and for what was published lately.
    const foretold = (await broker.run('policy', 'check', file)).out;
    expect(foretold).toContain('  panel (panel/web): subscribe devices/+/up/#: allowed -> denied (');
    expect(foretold).toContain('  pump-1: publish devices/pump-1/extra: denied -> allowed\n');
    const { exit, out } = await broker.run('policy', 'apply', file, '--why', 'line 2 is closed');
    const answeredMs = performance.now();
    expect(exit).toBe(0);
    expect(out).toContain('version 1 is in force\nended with it: 11 subscriptions, 10 connections');
    expect(out).toContain('role lab (gone)');
    const ended = await gone;
    expect(ended.map(({ how }) => how.code)).toEqual([...Array(5).fill(0x87), ...Array(5).fill(undefined)]);
    for (const { ms } of ended) expect(ms - answeredMs).toBeLessThan(1_000);

    // Whoever gained a right has it on the connection that it had.
    expect(await pump.publish('devices/pump-1/extra', 'x', { qos: 1 })).toMatchObject({
      reason: 'no-matching-subscribers',
    });
    await other.ping();

    const heard: string[] = [];
    const back = await broker.connect({
      transport: broker.mqtts('panel'),
      clientId: 'panel/kept',
      cleanStart: false,
      properties: KEPT,
      onMessage: ({ payload }) => heard.push(Buffer.from(payload).toString()),
    });
    expect(back.connack.sessionPresent).toBe(true);
    await expect.poll(() => heard).toEqual(['may come']);
    await other.publish('devices/pump-2/up/a', 'may not', { qos: 1 });
    await pump.publish('devices/pump-1/up/a', 'is heard', { qos: 1 });
    await expect.poll(() => heard).toEqual(['may come', 'is heard']);
  }, 60_000);

  it('`why` names the rule with file, line and column', async () => {
    const pump = await broker.connect({ transport: broker.mqtts('pump-1'), clientId: 'pump-1' });
    await expect(pump.publish('devices/pump-1/up/secret/x', 'x', { qos: 1 })).rejects.toMatchObject({ code: 0x87 });
    const { refusals } = JSON.parse(await broker.command('why', 'pump-1', '--json')) as {
      refusals: Record<string, string>[];
    };
    expect(refusals[0]).toMatchObject({ rule: 'role device, narrow.yaml:6:7', layer: 'access' });
    expect(refusals[0]?.['because']).toContain(
      'denies publish devices/pump-1/up/secret/x: deny publish devices/+/up/secret/#',
    );
    const panel = JSON.parse(await broker.command('why', 'panel', '--json')) as { refusals: Record<string, string>[] };
    expect(panel.refusals.map(({ seen }) => seen)).toEqual(
      expect.arrayContaining(['DISCONNECT 0x87', 'the connection closed']),
    );
    expect(broker.out()).toContain('policy.applied');
  }, 60_000);

  it('roles are those of the policy in force', async () => {
    expect(await broker.run('device', 'add', 'x', '--role', 'lab')).toMatchObject({
      exit: 2,
      err: expect.stringContaining('there are: device, operator'),
    });
  }, 60_000);

  it.each([
    ['a mistake', 'roles:\n  r: [allow publish]\n', [], 4, 'roles.r[0]: it ends where a topic filter is due'],
    [
      'a failed test',
      `${NARROW}  - pump-2 may publish devices/pump-1/up/x\n`,
      [],
      1,
      ':12:5: pump-2 may publish devices/pump-1/up/x: role device',
    ],
    ['a finding and --strict', `roles:\n${DEVICE}`, ['--strict'], 1, 'the policy has findings'],
  ])(
    '%s changes nothing',
    async (_what, text, options, exit, why) => {
      const done = await broker.run('policy', 'apply', policy('refused.yaml', text), ...options);
      expect(done).toMatchObject({ exit, out: '', err: expect.stringContaining(why) });
      expect(JSON.parse(await broker.command('policy', 'show', '--json'))).toMatchObject({
        policy: { version: 1, file: 'narrow.yaml', why: 'line 2 is closed', text: NARROW },
      });
    },
    60_000,
  );

  it('check and diff change nothing, and say what would', async () => {
    const file = policy('wide.yaml', `${NARROW.replace('devices/pump-1/#', 'devices/#')}`);
    expect(await broker.run('policy', 'check', file)).toMatchObject({
      exit: 1,
      out: expect.stringContaining(
        'wide.yaml:11:5: failed: panel may not subscribe devices/#: role operator, wide.yaml:8:7 allows it',
      ),
    });
    expect(await broker.run('policy', 'diff', file)).toMatchObject({
      exit: 1,
      out: 'role operator\n  - allow subscribe devices/pump-1/#\n  + allow subscribe devices/#\n',
    });
    expect(await broker.run('policy', 'diff', 'narrow.yaml')).toMatchObject({ exit: 0, out: 'it says the same\n' });
    expect(await broker.run('access', 'diff', 'narrow.yaml')).toMatchObject({
      exit: 0,
      out: expect.stringMatching(/^nothing changes for who is here: \d+ sessions looked at\n$/),
    });
    const fewer = await broker.run('access', 'diff', policy('fewer.yaml', `roles:\n${DEVICE}`));
    expect(fewer).toMatchObject({ exit: 1 });
    expect(fewer.out).toContain('  panel (panel/kept): subscribe devices/pump-1/up/#: allowed -> denied (');
    expect(await broker.command('policy', 'show', '--versions')).toMatch(
      /^VERSION .*\n1 .*narrow\.yaml +line 2 is closed\n0 .*built in\n$/,
    );
  }, 60_000);
});

describe('`access`', () => {
  const NO =
    'deny: role device, narrow.yaml:6:7 denies publish devices/pump-1/up/secret/x: deny publish devices/+/up/secret/#';

  it('says of the running broker who may what, and by which rule', async () => {
    expect(await broker.run('access', 'check', 'pump-1', 'publish', 'devices/pump-1/extra')).toMatchObject({
      exit: 0,
      out: expect.stringMatching(
        /^allow: role device, narrow\.yaml:5:7 allows it: .*\n {2}rule {6}role device, narrow\.yaml:5:7\n/,
      ),
    });
    const asked = ['access', 'check', 'pump-1', 'publish', 'devices/pump-1/up/secret/x'];
    const { exit, out } = await broker.run(...asked, '--explain');
    expect(exit).toBe(1);
    expect(out.split('\n')[0]).toBe(NO);
    expect(out).toContain('  * role device, narrow.yaml:3:7: allow publish devices/${device}/up/#\n');
    expect(out).toContain('  others who may publish it: nobody\n');
    expect(await broker.run('access', 'who', 'devices/pump-1/up/x')).toMatchObject({
      exit: 0,
      out: 'IDENTITY  PUBLISH  RECEIVE\npanel     no       yes\npump-1    yes      no\n',
    });
    expect(await broker.run('access', 'who', 'other')).toMatchObject({ exit: 1, out: 'nobody\n' });
    expect(await broker.run('access', 'check', 'pump-1', 'publish', '#')).toMatchObject({
      exit: 2,
      err: expect.stringContaining('(MOT-0907)'),
    });
  }, 60_000);

  it('answers the same without a broker', async () => {
    await broker.end('SIGTERM');
    expect(await broker.run('access', 'check', 'pump-1', 'publish', 'devices/pump-1/up/secret/x')).toMatchObject({
      exit: 1,
      out: expect.stringContaining(NO),
    });
    expect(JSON.parse(await broker.command('access', 'who', 'devices/pump-1/up/x', '--json'))).toMatchObject({
      format: 1,
      holders: [
        { identity: 'panel', publish: 'no', receive: 'yes' },
        { identity: 'pump-1', publish: 'yes', receive: 'no' },
      ],
    });
    await broker.start();
  }, 60_000);
});

describe('the policy in force', () => {
  it('is there after kill -9, and is exported as it was applied', async () => {
    await broker.end('SIGKILL');
    await broker.start();
    await broker.command('policy', 'export', 'exported.yaml');
    expect(readFileSync(join(broker.folder, 'exported.yaml'), 'utf8')).toBe(NARROW);
    expect(await broker.run('policy', 'export', 'exported.yaml')).toMatchObject({ exit: 1 });
    const panel = await broker.connect({ transport: broker.mqtts('panel'), clientId: 'panel' });
    expect(await panel.subscribe(at('devices/#')).catch(({ code }: { code: number }) => [code])).toEqual([0x87]);
  }, 60_000);

  it('is applied where no broker runs, and holds from its start, for sessions that were kept as well', async () => {
    await broker.end('SIGTERM');
    const out = await broker.command('policy', 'apply', policy('none.yaml', `roles:\n${DEVICE}  operator: []\n`));
    expect(out).toContain('version 2 is in force\nthe broker does not run: it starts with it');
    await broker.start();
    const back = await broker.connect({
      transport: broker.mqtts('panel'),
      clientId: 'panel/kept',
      properties: KEPT,
      cleanStart: false,
    });
    expect(back.connack.sessionPresent).toBe(true);
    const heard: string[] = [];
    back.onMessage(({ topic }) => heard.push(topic));
    const pump = await broker.connect({ transport: broker.mqtts('pump-1'), clientId: 'pump-1' });
    await pump.publish('devices/pump-1/up/a', 'x', { qos: 1 });
    await back.ping();
    expect(heard).toEqual([]);
  }, 60_000);

  it('is not guessed: a file that cannot be read stops the start, and nothing listens', async () => {
    await broker.end('SIGTERM');
    const path = join(broker.data, 'store', 'policy.json');
    const stored = readFileSync(path, 'utf8');
    writeFileSync(path, stored.slice(0, -20));
    const done = await broker.run('start');
    expect(done).toMatchObject({ exit: 4, err: expect.stringContaining('(MOT-0905)') });
    writeFileSync(path, stored);
    await broker.start();
  }, 60_000);
});
