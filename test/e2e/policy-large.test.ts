// The largest policy that there may be is applied to a running broker: whoever is connected is served meanwhile, the order of several
// administrators stays, and a broker that ends does not wait for it. The real program.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openAdmin } from '@motte/admin';
import { connectClient, type MqttClient, tcpTransport } from '@motte/client';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Started, startBroker } from '../../packages/motte/src/testing/program.ts';

const folder = mkdtempSync(join(tmpdir(), 'motte-policy-large-'));
const data = join(folder, 'data');
const admin = openAdmin(data);
let broker: Started;
let client: MqttClient;

/** At the limits of rules and tests. */
const LARGEST = `roles:
  lab: { listenerOnly: true, rules: [ allow all line/# ] }
  r:
${lines(9_999, (i) => `    - allow publish plant/machine-${i}/up/# qos<=1`)}tests:
${lines(5_000, (i) => `  - pump-${i} may publish plant/machine-${i}/up/x as r`)}`;
const SMALL = 'roles: { lab: { listenerOnly: true, rules: [ allow all line/# ] } }\n';

function lines(length: number, line: (i: number) => string): string {
  return Array.from({ length }, (_, i) => `${line(i)}\n`).join('');
}

const apply = (text: string, why: string) =>
  admin.applyPolicy({ text, file: 'p.yaml', by: 'test', why, strict: false });

beforeAll(async () => {
  mkdirSync(data);
  const lab = '{ name: lab, url: "mqtt://127.0.0.1:0", authentication: none, role: lab, waiver: a test }';
  writeFileSync(join(data, 'motte.yaml'), `listeners: [${lab}]\nconsole: off\n`);
  broker = await startBroker(data);
  const port = Number(/:([0-9]+)$/.exec((await admin.status()).listeners[0]?.url ?? '')?.[1]);
  client = await connectClient({ transport: tcpTransport({ host: '127.0.0.1', port }), clientId: 'lab' });
}, 60_000);
afterAll(async () => {
  client.destroy();
  broker.child.kill('SIGKILL');
  await broker.exited;
  rmSync(folder, { recursive: true, force: true });
});

it('pings are answered all the while that it is judged', async () => {
  let isOver = false;
  const applied = apply(LARGEST, 'the largest').finally(() => (isOver = true));
  let answered = 0;
  // Told where it is awaited; nobody waits for it while the client is asked.
  applied.catch(() => undefined);
  for (; !isOver; answered++) await client.ping();
  const { policy, report } = await applied;
  expect([policy.version, report.passed, report.failed]).toEqual([1, 5_000, []]);
  // As many as have time while the text is read and what was judged is stored are some dozens.
  expect(answered).toBeGreaterThan(500);
}, 60_000);

it('of two that are applied at once each is judged against the one before, and the later one is in force', async () => {
  const texts = { large: LARGEST, small: SMALL };
  const both = (['large', 'small'] as const).map((why) => apply(texts[why], why));
  const [older, newer] = (await Promise.all(both)).sort((a, b) => a.policy.version - b.policy.version);
  expect([older?.policy.version, newer?.policy.version]).toEqual([2, 3]);
  const changesOf = (applied: typeof older) => applied?.report.changes.map(({ where }) => where);
  // Before both the largest was in force.
  const expected = {
    large: [
      ['role r (gone)', 'tests'],
      ['role r (new)', 'tests'],
    ],
    small: [[], ['role r (gone)', 'tests']],
  };
  expect([changesOf(older), changesOf(newer)]).toEqual(expected[newer?.policy.why as keyof typeof expected]);
  expect((await admin.policy()).policy.text).toBe(texts[newer?.policy.why as keyof typeof texts]);
}, 60_000);

it('a broker that ends does not wait for it, and starts with what was in force', async () => {
  const { policy } = await admin.policy();
  const applying = apply(LARGEST, 'too late').then(
    () => 'applied',
    () => 'refused',
  );
  // By then its text is there and its thread under way.
  for (let i = 0; i < 200; i++) await client.ping();
  broker.child.kill('SIGTERM');
  expect(await broker.exited).toBe(0);
  expect(await applying).toBe('refused');
  broker = await startBroker(data);
  expect((await admin.policy()).policy).toEqual(policy);
}, 60_000);
