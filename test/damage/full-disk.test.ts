// The real program on a disk that is really full, or read-only at the start: what it answers, what its health says, and that nothing it
// acknowledged is missing once there is room again.

import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { motte, type Started, startBroker } from '../../packages/motte/src/testing/program.ts';
import { WireClient } from '../restart/wire-client.ts';
import { LACKS_SMALL_DISK, mountSmallDisk, type SmallDisk } from './small-disk.ts';

async function startOn(disk: SmallDisk, freeBytesMin: number) {
  const data = join(disk.path, 'data');
  mkdirSync(data, { recursive: true, mode: 0o700 });
  writeFileSync(
    join(data, 'motte.yaml'),
    `listeners:
  - { name: plain, url: "mqtt://127.0.0.1:0", authentication: none, role: lab, clientIds: any, waiver: "test on loopback" }
console: off
log: { level: info, shape: json }
limits: { queueMessagesMax: 100000, queueBytesMax: 1000000000 }
store: { freeBytesMin: ${freeBytesMin} }
`,
  );
  const broker = await startBroker(data);
  onTestFinished(async () => {
    broker.child.kill('SIGKILL');
    await broker.exited;
  });
  await until(() => broker.out().includes('"msg":"up"'));
  return { data, broker, port: Number(/"listener.opened".*?127\.0\.0\.1:([0-9]+)/.exec(broker.out())?.[1]) };
}

async function until(what: () => Promise<boolean> | boolean): Promise<void> {
  while (!(await what())) await new Promise((resolve) => setTimeout(resolve, 50));
}

const healthy = async (data: string): Promise<boolean> => (await motte(['status', '--data', data])).exit === 0;

const DEFAULT_FREE_BYTES = 64 * 1024 ** 2;
const PAYLOAD = 'x'.repeat(2_000);

/** Publishes until the broker says no or closes; gives what was acknowledged. */
async function publishUntilRefused(
  port: number,
  from: number,
  payload = PAYLOAD,
): Promise<{ acknowledged: string[]; last: number; refused: number }> {
  const client = await WireClient.connect(port, `publisher-${from}`, 5, { cleanStart: true, properties: {} });
  const acknowledged: string[] = [];
  for (let n = from; ; n++) {
    client.publish('a', `${n} ${payload}`, 1, (n % 60_000) + 1);
    const packet = await client.take();
    const refused = packet?.type === 'puback' ? packet.reasonCode : 0;
    if (packet?.type !== 'puback' || refused >= 0x80) {
      client.end();
      return { acknowledged, last: n, refused };
    }
    acknowledged.push(`${n}`);
    if (n - from > 20_000) throw new Error('the disk does not fill');
  }
}

async function owedTo(port: number, wanted: number): Promise<string[]> {
  const away = await WireClient.connect(port, 'away');
  const owed: string[] = [];
  while (owed.length < wanted) {
    const { packetId, payload } = await away.next('publish');
    owed.push(new TextDecoder().decode(payload).split(' ')[0] as string);
    away.ack('puback', packetId);
  }
  away.end();
  return owed;
}

async function subscribeAway(port: number): Promise<void> {
  const away = await WireClient.connect(port, 'away');
  await away.subscribe('a', 1);
  away.end();
  await away.closed;
}

describe.skipIf(LACKS_SMALL_DISK !== undefined)(
  `a disk of a few MiB${LACKS_SMALL_DISK === undefined ? '' : ` (${LACKS_SMALL_DISK})`}`,
  () => {
    it('full in the middle of a commit: refused by version, live traffic goes on, health is red, all comes back', {
      timeout: 120_000,
    }, async () => {
      const disk = mountSmallDisk(24);
      const { data, broker, port } = await startOn(disk, 0);
      await subscribeAway(port);
      const reader = await WireClient.connect(port, 'reader', 5, { cleanStart: true, properties: {} });
      await reader.subscribe('a', 0);
      const before = await publishUntilRefusedAfterFilling(disk, port);
      await until(() => broker.out().includes('"event":"store.fault"'));
      // Now that it is known: MQTT 5.0 is told, MQTT 3 is not acknowledged, QoS 0 goes on.
      expect((await publishUntilRefused(port, 30_000)).refused).toBe(0x97);
      const old = await WireClient.connect(port, 'old', 4, { cleanStart: true });
      old.publish('a', 'old', 1, 1);
      expect(await old.take()).toBeUndefined();
      const live = await WireClient.connect(port, 'live', 5, { cleanStart: true, properties: {} });
      live.publish('a', 'live', 0, 0);
      await until(async () => new TextDecoder().decode((await reader.next('publish')).payload) === 'live');
      const status = await motte(['status', '--data', data]);
      expect(status.exit).toBe(1);
      expect(status.out).toMatch(/^store: nothing new is stored: .*No space left on device/m);
      disk.empty();
      await until(() => healthy(data));
      expect(broker.out()).toContain('"event":"store.recovered"');
      const after = await publishSome(port, 50_000, 50);
      const all = [...before.acknowledged, ...after];
      const owed = await owedTo(port, all.length);
      // What was caught unacknowledged may be there too.
      expect(owed.filter((n) => n !== `${before.last}`).slice(0, all.length - 1)).toEqual(all.slice(0, all.length - 1));
      expect(broker.out()).not.toContain('"event":"store.damaged"');
      await expectSameAfterRestart(broker, disk);
    });

    it('short of the room that is kept free: refused before anything fails, and what is stored is delivered', {
      timeout: 120_000,
    }, async () => {
      const disk = mountSmallDisk(112);
      const { data, broker, port } = await startOn(disk, DEFAULT_FREE_BYTES);
      await subscribeAway(port);
      const { acknowledged, refused } = await publishUntilRefused(port, 0, 'x'.repeat(50_000));
      expect(refused).toBe(0x97);
      expect(acknowledged.length).toBeGreaterThan(100);
      expect((await motte(['status', '--data', data])).out).toMatch(
        /^store: nothing new is stored: the disk of the store has \d+ MiB left/m,
      );
      expect(await owedTo(port, acknowledged.length)).toEqual(acknowledged);
      expect(broker.out().match(/"event":"store.fault"/g)).toHaveLength(1);
    });

    it('a policy or a user that cannot be stored: said with its reason, running or not, and what was there stays', {
      timeout: 120_000,
    }, async () => {
      const disk = mountSmallDisk(24);
      const { data, broker } = await startOn(disk, 0);
      const [policy, password] = [join(data, '..', 'policy.yaml'), join(data, '..', 'password')];
      writeFileSync(policy, 'roles:\n  lab: { listenerOnly: true, rules: [allow publish a] }\n');
      writeFileSync(password, 'correct horse battery staple', { mode: 0o600 });
      const apply = () => motte(['policy', 'apply', policy, '--data', data]);
      const addUser = () => motte(['user', 'add', 'ann', '--password-file', password, '--data', data]);
      const refused = async () => {
        for (const command of [apply, addUser]) {
          expect(await command()).toMatchObject({
            exit: 4,
            err: expect.stringMatching(
              /^motte: nothing can be written: no space is left on the file system \(MOT-0210\)\n {2}make room/m,
            ),
          });
        }
        expect((await motte(['policy', 'show', '--data', data, '--json'])).out).toMatch(/"version": ?0,/);
      };
      disk.fill();
      await refused();
      broker.child.kill('SIGKILL');
      await broker.exited;
      await refused();
      disk.empty();
      expect((await apply()).exit).toBe(0);
      expect((await addUser()).exit).toBe(0);
    });

    it('read-only at the start: one clear error, exit 4', { timeout: 60_000 }, async () => {
      const disk = mountSmallDisk(24);
      const { data, broker } = await startOn(disk, 0);
      broker.child.kill('SIGTERM');
      await broker.exited;
      disk.remount('ro');
      const said = await startBroker(data).then(
        ({ child }) => void child.kill('SIGKILL'),
        (fault: Error) => fault.message,
      );
      disk.remount('rw');
      expect(said).toMatch(/^ended with 4: motte: .*(read-only|Read-only|EROFS).*\(MOT-0[0-9]{3}\)\n/);
    });
  },
);

async function publishUntilRefusedAfterFilling(disk: SmallDisk, port: number) {
  const some = await publishSome(port, 0, 100);
  disk.fill();
  const caught = await publishUntilRefused(port, 100);
  return { acknowledged: [...some, ...caught.acknowledged], last: caught.last };
}

async function publishSome(port: number, from: number, count: number): Promise<string[]> {
  const client = await WireClient.connect(port, `some-${from}`, 5, { cleanStart: true, properties: {} });
  const acknowledged: string[] = [];
  for (let n = from; n < from + count; n++) {
    client.publish('a', `${n} ${PAYLOAD}`, 1, (n % 60_000) + 1);
    const { reasonCode } = await client.next('puback');
    expect(reasonCode).toBe(0);
    acknowledged.push(`${n}`);
  }
  client.end();
  return acknowledged;
}

async function expectSameAfterRestart(broker: Started, disk: SmallDisk): Promise<void> {
  broker.child.kill('SIGTERM');
  expect(await broker.exited).toBe(0);
  const { broker: again } = await startOn(disk, 0);
  expect(again.out()).not.toContain('"event":"store.damaged"');
}
