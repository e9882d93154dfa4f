// A client works under a wide role while it is watched; the proposal is reviewed, applied, and is enough for it and no more.
// The real program, and mosquitto's clients.

import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openAdmin } from '@motte/admin';
import { afterAll, beforeAll, expect, it } from 'vitest';
import {
  beginMotte,
  type Finished,
  motte,
  type Running,
  type Started,
  startBroker,
} from '../../packages/motte/src/testing/program.ts';
import { describeWith } from '../interop/counterparts.ts';
import { run, Subscriber } from '../interop/drivers/mosquitto.ts';

const folder = mkdtempSync(join(tmpdir(), 'motte-learn-'));
const data = join(folder, 'data');
const MANY = Array.from({ length: 8 }, (_, i) => `sensor-${i}`);
const WIDE = `roles:
  wide:
    - allow all plant/#
    - deny publish plant/secret
`;

describeWith(['mosquitto-clients'], '`policy learn`', () => {
  let broker: Started;
  let port = 0;
  let subscriber: Subscriber | undefined;

  const command = (...args: string[]): Promise<Finished> => motte([...args, '--data', data], folder);
  const done = async (...args: string[]): Promise<string> => {
    const { exit, out, err } = await command(...args);
    expect({ exit, err }, args.join(' ')).toMatchObject({ exit: 0 });
    return out;
  };
  const file = (name: string) => join(folder, name);
  const client = (id: string, ...args: string[]): string[] => [
    ...['-h', '127.0.0.1', '-p', `${port}`, '-V', '5', '-i', id],
    ...['--cafile', file('pump-1/ca.crt'), '--cert', file('pump-1/pump-1.crt'), '--key', file('pump-1/pump-1.key')],
    ...args,
  ];
  const publish = async (topic: string, ...args: string[]): Promise<string> =>
    (await run('mosquitto_pub', client('pump-1/pub', '-t', topic, '-m', 'x', ...args))).err;

  async function learn(...args: string[]): Promise<Running> {
    const running = beginMotte(['policy', 'learn', 'pump-1', ...args, '--data', data], folder);
    await expect.poll(() => running.err(), { timeout: 20_000 }).toContain('watching pump-1');
    return running;
  }

  beforeAll(async () => {
    mkdirSync(data);
    writeFileSync(
      join(data, 'motte.yaml'),
      'listeners: [{ name: devices, url: "mqtts://127.0.0.1:0" }]\nconsole: off\n',
    );
    writeFileSync(file('wide.yaml'), WIDE);
    broker = await startBroker(data);
    const { listeners } = await openAdmin(data).status();
    port = Number(/:([0-9]+)$/.exec(listeners[0]?.url ?? '')?.[1]);
    await done('policy', 'apply', 'wide.yaml');
    await done('device', 'add', 'pump-1', '--role', 'wide');
  }, 60_000);
  afterAll(async () => {
    subscriber?.kill();
    broker?.child.kill('SIGKILL');
    await broker?.exited;
    rmSync(folder, { recursive: true, force: true });
  });

  it('proposes what covers all that was done, when Ctrl-C ends it', async () => {
    subscriber = await Subscriber.start(client('pump-1/sub', '-q', '1', '-t', 'plant/pump-1/down/#'));
    const learning = await learn('--out', 'proposal.yaml');
    for (const sensor of MANY) expect(await publish(`plant/pump-1/up/${sensor}`, '-q', '1')).toBe('');
    expect(await publish('plant/pump-1/state', '-r')).toBe('');
    await publish('plant/secret', '-q', '1');
    learning.child.kill('SIGINT');
    expect(await learning.finished).toMatchObject({ exit: 0, out: '' });
    expect(readFileSync(file('proposal.yaml'), 'utf8')).toMatch(
      /^# Proposed for pump-1, watched for [0-9]+ s under wide: /,
    );
    expect(readFileSync(file('proposal.yaml'), 'utf8').split('\n').slice(3).join('\n')).toBe(`#
# Denied to its roles, and to the proposed one:
#   deny publish plant/secret (role wide, wide.yaml:4:7)
#
# Refused while it was watched, and not proposed:
#   publish plant/secret (role wide, wide.yaml:4:7)
roles:
  learned-pump-1:
    - allow publish plant/\${device}/up/+ qos<=1 no-retain
    - allow publish plant/\${device}/state qos<=0
    - allow subscribe plant/\${device}/down/#
    - deny publish plant/secret
tests:
  - pump-1 may publish plant/pump-1/up/sensor-0 qos=1 as learned-pump-1
  - pump-1 may not publish plant/somebody-else/up/sensor-0 qos=1 as learned-pump-1
  - pump-1 may publish plant/pump-1/state retain as learned-pump-1
  - pump-1 may not publish plant/somebody-else/state retain as learned-pump-1
  - pump-1 may subscribe plant/pump-1/down/# as learned-pump-1
  - pump-1 may not subscribe plant/somebody-else/down/# as learned-pump-1
`);
    expect(await done('policy', 'check', 'proposal.yaml')).toContain('6 tests passed');
    expect(JSON.parse(await done('policy', 'show', '--json'))).toMatchObject({ policy: { version: 1 } });
  }, 60_000);

  it('never over a file', async () => {
    const before = readFileSync(file('proposal.yaml'), 'utf8');
    const refused = await command('policy', 'learn', 'pump-1', '--for', '1s', '--out', 'proposal.yaml');
    expect(refused).toMatchObject({ exit: 1, err: expect.stringContaining('MOT-0604') });
    expect(readFileSync(file('proposal.yaml'), 'utf8')).toBe(before);
  }, 60_000);

  it('ends when its time is over, or when its command is gone; nothing that was seen is the answer no', async () => {
    subscriber?.kill();
    await expect.poll(async () => (await openAdmin(data).clients()).clients, { timeout: 20_000 }).toEqual([]);
    const { exit, out } = await command('policy', 'learn', 'pump-1', '--for', '1s', '--json', '--out', 'nothing.yaml');
    expect(exit).toBe(1);
    expect(JSON.parse(out)).toMatchObject({ format: 1, proposal: { ended: 'time', rules: [] }, written: null });
    expect(existsSync(file('nothing.yaml'))).toBe(false);
    const first = await learn();
    expect(await command('policy', 'learn', 'pump-1')).toMatchObject({
      exit: 1,
      err: expect.stringContaining('MOT-0911'),
    });
    first.child.kill('SIGKILL');
    await first.finished;
    await expect.poll(() => broker.out(), { timeout: 20_000 }).toMatch(/watch\.ended.*gone/);
  }, 60_000);

  it.each([
    [['nobody'], 1, 'MOT-0910'],
    [['a@b'], 1, 'MOT-0910'],
    [['pump-1', '--for', '8d'], 2, 'MOT-0002'],
    [['pump-1', '--for', 'ever'], 2, 'MOT-0002'],
  ])('refuses %j', async (args, exit, code) => {
    expect(await command('policy', 'learn', ...args)).toMatchObject({ exit, err: expect.stringContaining(code) });
  });

  it('the proposal, applied, is enough for it and no more', async () => {
    const groups = 'groups: { learned: { roles: [learned-pump-1], members: [pump-1] } }\n';
    writeFileSync(file('narrow.yaml'), readFileSync(file('proposal.yaml'), 'utf8') + groups);
    await done('policy', 'apply', 'narrow.yaml');
    subscriber = await Subscriber.start(client('pump-1/sub', '-q', '1', '-t', 'plant/pump-1/down/#'));
    for (const sensor of MANY) expect(await publish(`plant/pump-1/up/${sensor}`, '-q', '1')).toBe('');
    expect(await publish('plant/pump-2/up/sensor-0', '-q', '1')).toContain('Not authorized');
    expect(await publish('plant/pump-1/up/sensor-0', '-q', '2')).toContain('Not authorized');
    expect(await publish('plant/pump-1/up/sensor-0', '-q', '1', '-r')).toContain('Not authorized');
  }, 60_000);

  it('has the proposal when the broker ends, and needs one that runs', async () => {
    const learning = await learn('--json');
    broker.child.kill('SIGTERM');
    const { exit, out } = await learning.finished;
    expect(exit).toBe(0);
    expect(JSON.parse(out)).toMatchObject({
      proposal: { ended: 'stopping', rules: ['allow subscribe plant/$' + '{device}/down/#'] },
    });
    await broker.exited;
    expect(await command('policy', 'learn', 'pump-1')).toMatchObject({ exit: 3 });
  }, 60_000);
});
