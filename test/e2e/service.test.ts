// As a service: what systemd's own `systemd-notify` carries to the service manager, and the unit that is shipped.

import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createConnection } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, expect, it, onTestFinished } from 'vitest';
import { describeWith } from '../interop/counterparts.ts';
import { ENTRY, Program } from '../restart/program.ts';
import { NotifyReceiver } from './notify-receiver.ts';

const unitFile = (name: string) => new URL(`../../packaging/systemd/${name}`, import.meta.url);
const folder = mkdtempSync(join(tmpdir(), 'motte-service-'));
afterAll(() => rmSync(folder, { recursive: true }));

describeWith(['systemd', 'python3'], 'the service manager', () => {
  it('hears of start, life, reload and end', { timeout: 60_000 }, async () => {
    const NOTIFY_SOCKET = join(folder, 'notify');
    const receiver = new NotifyReceiver(NOTIFY_SOCKET);
    onTestFinished(() => receiver.end());
    await receiver.hears('listening');
    const program = new Program();
    const started = program.start({ env: { NOTIFY_SOCKET, WATCHDOG_USEC: '1000000' } });
    const ready = await receiver.hears('READY=1');
    const port = await started;
    await new Promise<void>((resolve, reject) => {
      const socket = createConnection(port, '127.0.0.1', () => resolve(void socket.destroy())).once('error', reject);
    });
    const fed = await receiver.hears('WATCHDOG=1', ready);
    await receiver.hears('WATCHDOG=1', fed + 1);
    program.signal('SIGHUP');
    const reloading = await receiver.hears('RELOADING=1', fed);
    const again = await receiver.hears('READY=1', reloading);
    program.signal('SIGTERM');
    const stopping = await receiver.hears('STOPPING=1', again);
    expect(await program.exited).toBe(0);

    const { heard } = receiver;
    expect(heard.slice(0, ready).flat()).not.toContain('READY=1');
    expect(heard[1]).toEqual(['STATUS=reading what is stored']);
    expect(heard[ready]).toContainEqual(
      `STATUS=0 clients connected, 0 sessions, listening on mqtt://127.0.0.1:${port}`,
    );
    expect(heard[reloading]).toContainEqual(expect.stringMatching(/^MONOTONIC_USEC=[0-9]+$/));
    expect(heard.slice(stopping).flat()).not.toContain('READY=1');
  });
});

describeWith(['systemd'], 'packaging/systemd', () => {
  it.each([
    ['motte.service', 2],
    // It needs no network.
    ['motte-authority.service', 1],
  ])('%s is a unit that systemd understands, and exposes little', (name, most) => {
    const unit = readFileSync(unitFile(name), 'utf8');
    const path = join(folder, name);
    // Where the package puts the program there is none on this machine.
    writeFileSync(path, unit.replace('/usr/bin/motte', ENTRY));
    const verified = spawnSync('systemd-analyze', ['verify', '--man=no', path], { encoding: 'utf8' });
    expect(verified).toMatchObject({ status: 0, stderr: '' });
    const { stdout } = spawnSync('systemd-analyze', ['security', '--offline=yes', path], { encoding: 'utf8' });
    expect(Number(/exposure level for [a-z.-]+: ([0-9.]+)/i.exec(stdout)?.[1])).toBeLessThan(most);
  });
});
