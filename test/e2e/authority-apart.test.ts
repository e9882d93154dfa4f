// The authority as a process of another user: what the broker's user can reach of it, and what the broker does without it.
// Needs root, to run both as somebody else.

import { type ChildProcess, spawn, spawnSync } from 'node:child_process';
import { chmodSync, chownSync, cpSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { ENTRY } from '../restart/program.ts';

/** Users that no system gives out, with one group. */
const AUTHORITY = { uid: 61_184, gid: 61_190 };
const BROKER = { uid: 61_185, gid: 61_190 };
type User = typeof AUTHORITY;

const isRoot = process.getuid?.() === 0;
const canRun = isRoot && spawnSync(process.execPath, [ENTRY, '--version'], { ...BROKER }).status === 0;
const why = canRun ? '' : isRoot ? ' (other users cannot read this clone)' : ' (needs root)';

const folder = mkdtempSync(join(tmpdir(), 'motte-apart-'));
const at = (...parts: readonly string[]) => join(folder, ...parts);
const sockets = at('sockets');
const data = at('broker');

function directory(path: string, { uid, gid }: User, mode: number): void {
  mkdirSync(path);
  chownSync(path, uid, gid);
  chmodSync(path, mode);
}

function configure(path: string, socket: string): void {
  writeFileSync(
    join(path, 'motte.yaml'),
    `listeners: [{ name: devices, url: "mqtts://127.0.0.1:0" }]
console: off
enrol: off
log: { shape: json }
pki: { socket: ${socket} }
`,
  );
}

class Running {
  readonly child: ChildProcess;
  readonly exited: Promise<number | string>;
  out = '';
  err = '';

  constructor(args: readonly string[], user: User) {
    const { NODE_V8_COVERAGE: _, ...env } = process.env;
    this.child = spawn(process.execPath, [ENTRY, ...args], { ...user, env, stdio: ['ignore', 'pipe', 'pipe'] });
    this.exited = new Promise((resolve) => this.child.once('close', (code, signal) => resolve(code ?? signal ?? '')));
    this.child.stdout?.on('data', (chunk: Buffer) => (this.out += chunk));
    this.child.stderr?.on('data', (chunk: Buffer) => (this.err += chunk));
    running.push(this);
  }

  /** Rejects if it ends before. */
  async says(text: string): Promise<this> {
    let ended = false;
    void this.exited.then(() => (ended = true));
    while (!this.out.includes(text)) {
      if (ended) throw new Error(`it ended: ${this.err}`);
      await new Promise((resolve) => setTimeout(resolve, 10));
    }
    return this;
  }

  async end(): Promise<number | string> {
    this.child.kill('SIGTERM');
    return this.exited;
  }
}

const running: Running[] = [];
const startAuthority = () =>
  new Running(['authority', '--data', at('authority'), '--sockets', sockets], AUTHORITY).says('"ready":true');
const startBroker = () => new Running(['start', '--data', data], BROKER).says('"msg":"up"');

function motte(args: readonly string[], user?: User) {
  const { status, stdout, stderr } = spawnSync(process.execPath, [ENTRY, ...args, '--data', data], {
    cwd: folder,
    encoding: 'utf8',
    ...user,
  });
  return { exit: status, out: stdout, err: stderr };
}

interface StatusDocument {
  readonly healthy: boolean;
  readonly authoritySeparated: boolean;
  readonly findings: readonly { readonly subject: string; readonly why: string }[];
}

const status = (): StatusDocument => JSON.parse(motte(['status', '--json']).out) as StatusDocument;

async function statusOnce(isSo: (status: StatusDocument) => boolean): Promise<StatusDocument> {
  for (;;) {
    const now = status();
    if (isSo(now)) return now;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

afterAll(async () => {
  for (const one of running) one.child.kill('SIGKILL');
  await Promise.all(running.map(({ exited }) => exited));
  rmSync(folder, { recursive: true, force: true });
});

describe(`an authority of another user${why}`, { skip: !canRun, timeout: 60_000 }, () => {
  let authority: Running;

  beforeAll(async () => {
    chmodSync(folder, 0o711);
    directory(at('authority'), AUTHORITY, 0o700);
    directory(sockets, AUTHORITY, 0o750);
    directory(data, BROKER, 0o700);
    configure(data, join(sockets, 'broker.sock'));
    // The broker first: it waits for the authority.
    const broker = startBroker();
    authority = await startAuthority();
    await broker;
  }, 60_000);

  it('is used by the broker, which says that the CA is separated', () => {
    expect(status()).toMatchObject({ authoritySeparated: true, healthy: true, findings: [] });
    expect(running[0]?.err).toContain('CA separated: the authority runs as another user');
    expect(motte(['status']).out).toContain('\nCA separated\n');
  });

  it('shows the broker’s user neither its keys nor its ledger, nor the socket of administrators', () => {
    for (const path of ['pki/ca/issuing.key', 'pki/ca/root.key', 'pki/issued.jsonl']) {
      const read = spawnSync('cat', [at('authority', path)], { ...BROKER, encoding: 'utf8' });
      expect(read).toMatchObject({ status: 1, stdout: '', stderr: expect.stringContaining('Permission denied') });
    }
    expect(motte(['ca', 'show'], BROKER)).toMatchObject({
      exit: 3,
      err: expect.stringMatching(/authority\.sock \(EACCES\) \(MOT-0421\)/),
    });
    const replace = spawnSync('mv', [join(sockets, 'broker.sock'), join(sockets, 'other.sock')], { ...BROKER });
    expect(replace.status).toBe(1);
  });

  it('serves the commands of root, which reach both', () => {
    expect(motte(['device', 'add', 'pump-1', '--role', 'device'])).toMatchObject({ exit: 0, err: '' });
    expect(motte(['device', 'add', 'pump-2'])).toMatchObject({ exit: 0, err: '' });
    expect(motte(['device', 'show', 'pump-1']).out).toContain('serial');
    expect(motte(['ca', 'show'])).toMatchObject({ exit: 0, err: '' });
    expect(motte(['pub', 'devices/pump-1/up/t', '1', '--as', 'pump-1'])).toMatchObject({ exit: 0, err: '' });
    expect(motte(['device', 'revoke', 'pump-1']).out).toContain('1 certificate revoked');
    expect(motte(['pub', 'devices/pump-1/up/t', '1', '--as', 'pump-1']).exit).not.toBe(0);
  });

  it('away, it costs only what needs it, the broker says so, and all is well when it is back', async () => {
    expect(await authority.end()).toBe(0);
    const degraded = await statusOnce(({ healthy }) => !healthy);
    expect(degraded.authoritySeparated).toBe(true);
    expect(degraded.findings).toContainEqual({ subject: 'authority', why: expect.stringContaining('does not answer') });
    expect(motte(['pub', 'devices/pump-2/up/t', '1', '--as', 'pump-2'])).toMatchObject({ exit: 0, err: '' });
    expect(motte(['device', 'add', 'pump-3'])).toMatchObject({ exit: 3, err: expect.stringContaining('MOT-0421') });
    authority = await startAuthority();
    await statusOnce(({ healthy }) => healthy);
    expect(motte(['device', 'add', 'pump-3'])).toMatchObject({ exit: 0, err: '' });
    await running[0]?.says('the authority answers again');
  });

  it('what it revokes after it was away reaches the broker all the same', async () => {
    expect(motte(['device', 'revoke', 'pump-2']).out).toContain('1 certificate revoked');
    expect(motte(['pub', 'devices/pump-2/up/t', '1', '--as', 'pump-2']).exit).not.toBe(0);
  });

  it('a second one with the same sockets is refused, and the first one goes on', async () => {
    directory(at('authority-2'), AUTHORITY, 0o700);
    const second = new Running(['authority', '--data', at('authority-2'), '--sockets', sockets], AUTHORITY);
    expect(await second.exited).toBe(4);
    expect(second.err).toContain(`another authority answers at ${join(sockets, 'authority.sock')} (MOT-0429)`);
    expect(motte(['ca', 'show']).exit).toBe(0);
  });

  it('a directory for sockets that others may write is used by neither', async () => {
    const open = at('open');
    directory(open, AUTHORITY, 0o770);
    const refused = new Running(['authority', '--data', at('authority-2'), '--sockets', open], AUTHORITY);
    expect(await refused.exited).toBe(4);
    expect(refused.err).toContain(`${open} can be written by others (MOT-0429)`);
    // Made while it was closed, opened afterwards.
    chmodSync(open, 0o750);
    await new Running(['authority', '--data', at('authority-2'), '--sockets', open], AUTHORITY).says('"ready":true');
    chmodSync(open, 0o770);
    directory(at('broker-2'), BROKER, 0o700);
    configure(at('broker-2'), join(open, 'broker.sock'));
    const broker = new Running(['start', '--data', at('broker-2')], BROKER);
    expect(await broker.exited).toBe(4);
    expect(broker.err).toContain(`${open} can be written by others (MOT-0407)`);
  });

  it('CA keys that stayed in the data directory of the broker are a reason not to start', async () => {
    cpSync(at('authority', 'pki', 'ca'), at('broker-2', 'pki', 'ca'), { recursive: true });
    const broker = new Running(['start', '--data', at('broker-2')], BROKER);
    expect(await broker.exited).toBe(4);
    expect(broker.err).toContain(`${at('broker-2', 'pki')} (MOT-0408)`);
  });

  it('an authority of the broker’s own user is told of as not separated', async () => {
    const own = at('own-sockets');
    directory(own, BROKER, 0o750);
    directory(at('own-authority'), BROKER, 0o700);
    directory(at('broker-3'), BROKER, 0o700);
    configure(at('broker-3'), join(own, 'broker.sock'));
    await new Running(['authority', '--data', at('own-authority'), '--sockets', own], BROKER).says('"ready":true');
    await new Running(['start', '--data', at('broker-3')], BROKER).says('"msg":"up"');
    const { stdout } = spawnSync(process.execPath, [ENTRY, 'status', '--json', '--data', at('broker-3')], {
      encoding: 'utf8',
    });
    expect(JSON.parse(stdout)).toMatchObject({
      authoritySeparated: false,
      healthy: false,
      findings: [{ subject: 'authority', why: expect.stringContaining('CA not separated') }],
    });
  });
});
