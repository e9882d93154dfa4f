// Row 36: a clock that was set back, or never set, makes certificates good again that have ended, and tokens too. It can be no
// earlier than the program was built and than this broker has known before; below that nothing that hangs on dates is judged.

import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openAdmin } from '@motte/admin';
import { connectClient, tlsTransport } from '@motte/client';
import {
  type AuthorityOptions,
  createKeyAndCsr,
  encodeToken,
  obtainServerCertificate,
  type RunningAuthority,
  startAuthority,
} from '@motte/pki';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { BrokerEvent } from '../../packages/broker/src/events.ts';
import { createTimeProof } from '../../packages/broker/src/identity/time-proof.ts';
import { login, MemoryDirectory } from '../../packages/broker/src/testing/logins.ts';
import { createEnrolDesk } from '../../packages/motte/src/start/enrol-desk.ts';
import { openTimeFloor, type TimeFloor } from '../../packages/motte/src/start/time-floor.ts';
import { motte, type Started, startBroker } from '../../packages/motte/src/testing/program.ts';
import { FakeClock } from '../harness/index.ts';

const MINUTE_MS = 60_000;
const HOUR_MS = 60 * MINUTE_MS;
const DAY_MS = 24 * HOUR_MS;

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'motte-floor-'));
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('the earliest that it can be', () => {
  let clock: FakeClock;
  let events: BrokerEvent[];
  const floors: TimeFloor[] = [];
  beforeEach(() => {
    clock = new FakeClock();
    events = [];
  });
  afterEach(async () => {
    for (const floor of floors.splice(0)) await floor.close();
  });
  const path = () => join(folder, 'store', 'time.json');
  const open = (builtMs = 0): TimeFloor => {
    const floor = openTimeFloor({ path: path(), clock, told: (event) => events.push(event), builtMs });
    floors.push(floor);
    return floor;
  };
  const kept = (): string => (JSON.parse(readFileSync(path(), 'utf8')) as { known: string }).known;
  const names = () => events.map(({ name }) => name);

  it('is the day before the program was built', async () => {
    const built = clock.nowMs() + 30 * DAY_MS;
    const floor = open(built);
    await floor.look();
    expect(floor.unknown()).toMatch(/clock says 2026-01-01T.*and it was 2026-01-30T.* already/);
    expect(floor.findings()).toMatchObject([{ subject: 'clock', why: expect.stringContaining('time.json') }]);
    clock.advance(29 * DAY_MS);
    await floor.look();
    expect([floor.unknown(), floor.findings()]).toEqual([undefined, []]);
    expect(names()).toEqual(['clock.behind', 'clock.right']);
  });

  it('rises with the time that was known, also over a restart; a correction of an hour is none', async () => {
    const first = open();
    clock.advance(10 * MINUTE_MS);
    await first.look();
    const known = clock.nowMs();
    expect(kept()).toBe(new Date(known).toISOString());
    await first.close();
    clock.setBack(HOUR_MS / 2);
    expect(open().unknown()).toBeUndefined();
    clock.setBack(3 * HOUR_MS);
    const second = open();
    expect(second.unknown()).toContain(new Date(known).toISOString());
    expect(kept()).toBe(new Date(known).toISOString());
  });

  it('does not follow a clock that jumps until the new time has held, nor one that is below it', async () => {
    const floor = open();
    clock.advance(10 * MINUTE_MS);
    await floor.look();
    const known = kept();
    // Somebody sets the year 2099 by mistake, and corrects it.
    clock.setBack(-73 * 365 * DAY_MS);
    clock.advance(10 * MINUTE_MS);
    await floor.look();
    expect(kept()).toBe(known);
    clock.setBack(73 * 365 * DAY_MS);
    await floor.look();
    expect(floor.unknown()).toBeUndefined();
    clock.setBack(DAY_MS);
    clock.advance(10 * MINUTE_MS);
    await floor.look();
    expect(floor.unknown()).toBeDefined();
    expect(kept()).toBe(known);
  });

  it.each(['', '{', '{"format":1,"known":"soon"}', '{"format":2,"known":"2099-01-01T00:00:00.000Z"}'])(
    'is as unknown as before where %j is kept, and that is written anew',
    async (text) => {
      mkdirSync(join(folder, 'store'));
      writeFileSync(path(), text);
      const floor = open();
      expect(floor.unknown()).toBeUndefined();
      clock.advance(10 * MINUTE_MS);
      await floor.look();
      expect(kept()).toBe(new Date(clock.nowMs()).toISOString());
    },
  );
});

describe('below it', () => {
  const TLS = {
    ...{ protocol: 'TLSv1.3', cipher: '', resumed: false, serverName: undefined },
    ...{ certificate: new Uint8Array(1), fingerprint: 'ab' },
  };
  const TOKEN = 'eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiJhIn0.AAAA';
  const refusal = { allow: false, reason: 'server-unavailable', because: 'no time', rule: 'clock' };
  const proof = createTimeProof(() => 'no time');

  it.each([
    ['a certificate', login({ authentication: 'certificate', tls: TLS })],
    ['a token', login({ authentication: 'token', password: TOKEN })],
    ['a certificate where any proof will do', login({ authentication: 'any', tls: TLS })],
    ['a token where any proof will do', login({ authentication: 'any', password: TOKEN })],
    ['a token by its method', login({ authentication: 'any', method: 'JWT' })],
  ])('%s is not judged, and may be tried again', (_, evidence) => {
    expect(proof(evidence)).toEqual(refusal);
    expect(createTimeProof(() => undefined)(evidence)).toBeUndefined();
  });

  it.each([
    ['a password', login({ userName: 'ada', password: 'correct horse battery' })],
    [
      'a password where any proof will do',
      login({ authentication: 'any', userName: 'ada', password: 'correct horse' }),
    ],
    ['SCRAM', login({ authentication: 'scram', method: 'SCRAM-SHA-256' })],
    ['a pre-shared key', login({ authentication: 'psk' })],
    ['nobody in particular', login({ authentication: 'none' })],
  ])('%s needs no clock', (_, evidence) => {
    expect(proof(evidence)).toBeUndefined();
  });
});

it('below it nothing is enrolled or renewed: whoever asks is told to come again', async () => {
  const never = () => Promise.reject(new Error('the authority was asked'));
  const desk = createEnrolDesk({
    authority: { redeemToken: never, askToJoin: never, renewDevice: never } as never,
    directory: new MemoryDirectory(),
    emit: () => undefined,
    tls: () => ({ clientCa: '' }),
    timeUnknown: () => 'no time',
  });
  const busy = { state: 'busy', because: 'no time' };
  expect(await desk.redeem({ token: 'x', csr: 'x' })).toEqual(busy);
  expect(await desk.ask({ name: 'pump-1', csr: 'x' })).toEqual(busy);
  expect(await desk.renew({ certificate: 'x', csr: 'x', proof: '' })).toEqual(busy);
});

describe('the authority', () => {
  const NOW = Date.UTC(2026, 5, 1);
  let ms: number;
  let authority: RunningAuthority | undefined;
  beforeEach(() => {
    ms = NOW;
  });
  afterEach(() => authority?.close());
  const start = async (options: Partial<AuthorityOptions> = {}): Promise<RunningAuthority> => {
    await authority?.close();
    authority = undefined;
    return (authority = await startAuthority({ data: folder, now: () => ms, ...options }));
  };
  const known = (atMs: number): void =>
    writeFileSync(join(folder, 'pki', 'time.json'), JSON.stringify({ format: 1, known: new Date(atMs).toISOString() }));
  const csrOf = async (name: string): Promise<string> => (await createKeyAndCsr(name, { type: 'ec' })).csr;

  it('makes no CA before the day on which it was built', async () => {
    await expect(start({ builtMs: NOW + 30 * DAY_MS })).rejects.toMatchObject({
      code: 'MOT-0479',
      why: expect.stringMatching(/clock says 2026-06-01T.*and it was 2026-06-30T.* already/),
    });
    await start({ builtMs: NOW + DAY_MS / 2 });
  });

  it('dates nothing and takes no token, of before or now, by a clock that is behind what it knew', async () => {
    const { administrator, broker } = await start();
    const made = await administrator.addToken({ name: 'valve', roles: ['device'], seconds: 3_600 });
    const token = encodeToken({ url: 'https://broker:8446', ...made });
    const csr = await csrOf('pump');
    const { certificate } = await administrator.issueDevice({ name: 'pump', csr });
    ms = NOW + 2 * DAY_MS;
    await expect(broker.redeemToken({ token, csr: await csrOf('valve') })).rejects.toMatchObject({ code: 'MOT-0444' });
    known(ms);
    ms = NOW;
    const again = await start();
    const refusal = { code: 'MOT-0479' };
    const { administrator: admin, broker: door } = again;
    await expect(door.redeemToken({ token, csr: await csrOf('valve') })).rejects.toMatchObject(refusal);
    await expect(door.askToJoin({ name: 'valve', csr })).rejects.toMatchObject(refusal);
    await expect(door.renewDevice({ certificate, csr, proof: '' })).rejects.toMatchObject(refusal);
    await expect(door.issueServer(csr)).rejects.toMatchObject(refusal);
    await expect(admin.issueDevice({ name: 'valve', csr })).rejects.toMatchObject(refusal);
    await expect(admin.addToken({ name: 'valve', roles: [], seconds: 60 })).rejects.toMatchObject(refusal);
    await expect(admin.openJoin({ roles: [], seconds: 60 })).rejects.toMatchObject(refusal);
    await expect(admin.rotateCa('30d')).rejects.toMatchObject(refusal);
    await expect(admin.crl()).rejects.toMatchObject(refusal);
    ms = NOW + 2 * DAY_MS;
    await admin.issueDevice({ name: 'valve', csr });
  });

  it('revokes all the same, dated by the latest time that it knew', async () => {
    const { administrator } = await start();
    await administrator.issueDevice({ name: 'pump', csr: await csrOf('pump') });
    known(NOW + DAY_MS);
    ms = 0;
    const { administrator: admin } = await start();
    expect((await admin.revokeDevice({ name: 'pump' })).serials).toHaveLength(1);
    expect((await admin.showDevice('pump')).revokedAt).toBe(new Date(NOW + DAY_MS).toISOString());
  });

  it('leaves the broker the server certificate that it has', async () => {
    const { broker } = await start();
    const directory = join(folder, 'server');
    const options = { directory, names: [{ type: 'dns', value: 'localhost' }] as const };
    const first = await obtainServerCertificate({ ...options, authority: broker, nowMs: ms });
    known(NOW + DAY_MS);
    ms = 0;
    const { broker: door } = await start();
    const kept = await obtainServerCertificate({ ...options, authority: door, nowMs: ms });
    expect([kept.cert, kept.reissued]).toEqual([first.cert, undefined]);
    rmSync(join(directory, 'server.key'));
    await expect(obtainServerCertificate({ ...options, authority: door, nowMs: ms })).rejects.toMatchObject({
      code: 'MOT-0479',
    });
  });
});

describe('the program', () => {
  let broker: Started | undefined;
  afterEach(async () => {
    broker?.child.kill('SIGKILL');
    await broker?.exited;
  });

  it('says so, lets nobody in by a certificate, and goes on once it is put right', async () => {
    const data = join(folder, 'data');
    mkdirSync(data);
    writeFileSync(
      join(data, 'motte.yaml'),
      'listeners:\n  - { name: devices, url: "mqtts://127.0.0.1:0" }\nconsole: off\n',
    );
    const start = async () => {
      broker = await startBroker(data);
      const { listeners } = await openAdmin(data).status();
      return Number(/:([0-9]+)$/.exec(listeners[0]?.url ?? '')?.[1]);
    };
    const end = async () => {
      broker?.child.kill('SIGTERM');
      await broker?.exited;
    };
    await start();
    expect((await motte(['device', 'add', 'pump-1', '--data', data], folder)).exit).toBe(0);
    await end();
    const later = new Date(Date.now() + 400 * DAY_MS).toISOString();
    writeFileSync(join(data, 'store', 'time.json'), JSON.stringify({ format: 1, known: later }));
    const connect = (port: number) => {
      const read = (name: string): string => readFileSync(join(folder, 'pump-1', name), 'utf8');
      const pem = { ca: read('ca.crt'), cert: read('pump-1.crt'), key: read('pump-1.key') };
      return connectClient({ transport: tlsTransport({ host: '127.0.0.1', port, ...pem }), clientId: 'pump-1' });
    };
    const port = await start();
    await expect(connect(port)).rejects.toMatchObject({ reason: 'server-unavailable' });
    const status = await motte(['status', '--data', data], folder);
    expect(status.exit).toBe(1);
    expect(status.out).toMatch(/^clock: this machine's clock says .* and it was .* already/m);
    expect((await motte(['why', 'pump-1', '--data', data], folder)).out).toContain('Set the clock of this machine');
    expect(broker?.out()).toContain('clock.behind');
    await end();
    // It was the earlier clock that was wrong.
    rmSync(join(data, 'store', 'time.json'));
    await (await connect(await start())).disconnect();
    expect((await motte(['status', '--data', data], folder)).exit).toBe(0);
  }, 60_000);
});
