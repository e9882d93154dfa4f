import { readdir, readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { beforeAll, expect, it } from 'vitest';
import { openAuthority, openBrokerAuthority } from '../client/client.ts';
import { createKeyAndCsr } from '../keys.ts';
import { type AuthorityChild, buildPki, spawnAuthority } from '../testing/authority-child.ts';
import { withDataDirectory } from '../testing/data-directory.ts';

beforeAll(buildPki);

const withChildren = (work: (data: string, start: () => Promise<AuthorityChild>) => Promise<void>) =>
  withDataDirectory(async (data) => {
    const children: AuthorityChild[] = [];
    try {
      await work(data, async () => {
        const child = await spawnAuthority({ data });
        children.push(child);
        return child;
      });
    } finally {
      for (const child of children) child.process.kill('SIGKILL');
      await Promise.all(children.map(({ ended }) => ended));
    }
  });

it('one line of JSON says that it is ready; it ends with its standard input and leaves no socket', () =>
  withChildren(async (data, start) => {
    const child = await start();
    expect(child.ready).toMatchObject({ ready: true, format: 1, pid: child.process.pid, created: true });
    expect(await openBrokerAuthority(child.ready?.brokerSocket ?? '').trust()).toMatchObject({
      fingerprint: child.ready?.fingerprint,
    });
    child.process.stdin?.end();
    expect(await child.ended).toBe(0);
    expect(await readdir(join(data, 'run'))).toEqual([]);
    expect(await readdir(join(data, 'pki', 'lock'))).toEqual([]);
    expect(child.said()).toBe('');
  }));

it('SIGTERM ends it, SIGINT does not: an interrupt at the terminal is for its parent', () =>
  withChildren(async (_, start) => {
    const child = await start();
    child.process.kill('SIGINT');
    await openAuthority(child.ready?.authoritySocket ?? '').caInfo();
    child.process.kill('SIGTERM');
    expect(await child.ended).toBe(0);
  }));

it('after kill -9 it starts again at once, with the same CA and everything it gave out on record', () =>
  withChildren(async (_, start) => {
    const { csr } = await createKeyAndCsr('x', { type: 'ec' });
    const received = new Map<string, string>();
    let fingerprint: string | undefined;
    for (let round = 0; round < 3; round += 1) {
      const child = await start();
      fingerprint ??= child.ready?.fingerprint;
      expect(child.ready).toMatchObject({ fingerprint, created: round === 0 });
      const administrator = openAuthority(child.ready?.authoritySocket ?? '');
      const known = new Map((await administrator.listDevices()).map(({ name, serial }) => [name, serial]));
      for (const [name, serial] of received) expect(known.get(name)).toBe(serial);
      const asked = Array.from({ length: 50 }, async (__, index) => {
        const { name, serial } = await administrator.issueDevice({ name: `device-${round}-${index}`, csr });
        received.set(name, serial);
        if (index === 5 + round) child.process.kill('SIGKILL');
      });
      await Promise.allSettled(asked);
      expect(await child.ended).toBe('SIGKILL');
    }
    expect(received.size).toBeGreaterThanOrEqual(3);
    expect((await start()).ready).toMatchObject({ fingerprint, created: false });
  }));

it('a second one for the same directory waits its time, then says who holds it', () =>
  withChildren(async (data, start) => {
    const first = await start();
    const second = await start();
    expect(await second.ended).toBe(4);
    expect(second.said()).toContain(
      `motte: the CA is in use: process ${first.process.pid} holds ${join(data, 'pki', 'lock')} (MOT-0422)\n`,
    );
    await openAuthority(first.ready?.authoritySocket ?? '').caInfo();
  }));

it('a second one takes over as soon as the first is gone', () =>
  withChildren(async (_, start) => {
    const first = await start();
    const second = start();
    first.process.kill('SIGKILL');
    expect((await second).ready).toMatchObject({ fingerprint: first.ready?.fingerprint });
  }));

it('a corrupt CA key is one clear line and what to do, exit code 4', () =>
  withChildren(async (data, start) => {
    const first = await start();
    first.process.stdin?.end();
    await first.ended;
    const path = join(data, 'pki', 'ca', 'issuing.key');
    await writeFile(path, (await readFile(path, 'utf8')).replace(/^[^-].{20}/m, 'A'.repeat(21)));
    const second = await start();
    expect(await second.ended).toBe(4);
    const lines = second.said().trimEnd().split('\n');
    expect(lines).toHaveLength(2);
    expect(lines[0]).toMatch(/^motte: the CA cannot be used: .*issuing\.key .* \(MOT-0424\)$/);
  }));
