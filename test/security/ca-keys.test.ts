// The CA's keys and the process that faces the network: the real program is traced while it starts, certifies a device and serves
// it, and of all its processes the authority alone ever opens anything below `pki`.

import { spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { openAdmin } from '@motte/admin';
import { connectClient, tlsTransport } from '@motte/client';
import { createKeyAndCsr, openAuthority } from '@motte/pki';
import { afterEach, expect, it } from 'vitest';
import { describeWith } from '../interop/counterparts.ts';

const ENTRY = fileURLToPath(new URL('../../packages/motte/bin/motte.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'motte-traced-'));
const data = join(folder, 'data');

afterEach(() => rmSync(folder, { recursive: true, force: true }));

/** Which process opened what, from `strace -f`. */
function openedIn(trace: string): { readonly pid: string; readonly path: string }[] {
  return [...trace.matchAll(/^(\d+) +open(?:at)?2?\((?:[^,"]+, )?"([^"]*)"/gm)].map(([, pid = '', path = '']) => {
    return { pid, path };
  });
}

/** The process of each thread: a thread is born by `clone` with CLONE_THREAD. */
function processesIn(trace: string): (pid: string) => string {
  const parents = new Map<string, string>();
  // A call that another thread interrupts is written in two halves, the flags in the first and the number in the second.
  const halves = new Map<string, string>();
  for (const line of trace.split('\n')) {
    const [, pid = '', call = ''] = /^(\d+) +(.*)$/.exec(line) ?? [];
    if (/^clone3?\(.*<unfinished/.test(call)) halves.set(pid, call);
    const whole = call.includes('clone') && call.includes('resumed') ? `${halves.get(pid) ?? ''}${call}` : call;
    const born = /clone3?.*= (\d+)$/.exec(whole)?.[1];
    if (born !== undefined && whole.includes('CLONE_THREAD')) parents.set(born, pid);
  }
  const processOf = (pid: string): string => {
    const parent = parents.get(pid);
    return parent === undefined ? pid : processOf(parent);
  };
  return processOf;
}

describeWith(['strace'], 'the keys of the CA', () => {
  it('are opened by the authority and by no other process', async () => {
    mkdirSync(data);
    writeFileSync(
      join(data, 'motte.yaml'),
      'listeners:\n  - { name: devices, url: "mqtts://127.0.0.1:0" }\nconsole: off\n',
    );
    const trace = join(folder, 'trace');
    const calls = ['-e', 'trace=open,openat,openat2,clone,clone3', '-e', 'signal=none'];
    const traced = spawn(
      'strace',
      ['-f', '-q', ...calls, '-s', '400', '-o', trace, process.execPath, ENTRY, 'start', '--data', data],
      {
        stdio: ['ignore', 'ignore', 'pipe'],
      },
    );
    const exited = new Promise((resolve) => traced.once('exit', resolve));
    let said = '';
    await new Promise<void>((resolve, reject) => {
      traced.stderr.on('data', (chunk: Buffer) => {
        said += chunk.toString();
        if (said.includes('every listener accepts')) resolve();
      });
      void exited.then((how) => reject(new Error(`ended with ${String(how)}: ${said}`)));
    });
    const { pid, listeners } = await openAdmin(data).status();
    try {
      const { key, csr } = await createKeyAndCsr('pump-1', { type: 'ec' });
      const issued = await openAuthority(join(data, 'run', 'authority.sock')).issueDevice({ name: 'pump-1', csr });
      await openAdmin(data).addDevice({ name: 'pump-1', roles: ['device'] });
      const port = Number(/:([0-9]+)$/.exec(listeners[0]?.url ?? '')?.[1]);
      const pem = { ca: issued.root, cert: issued.certificate, key };
      const client = await connectClient({
        transport: tlsTransport({ host: '127.0.0.1', port, ...pem }),
        clientId: 'pump-1',
      });
      await client.disconnect();
    } finally {
      process.kill(pid, 'SIGTERM');
      await exited;
    }
    const text = readFileSync(trace, 'utf8');
    const processOf = processesIn(text);
    const keys = openedIn(text).filter(({ path }) => /\/pki\/ca.*\.key/.test(path));
    const below = openedIn(text).filter(({ path }) => path.startsWith(join(data, 'pki')));
    expect(existsSync(join(data, 'pki', 'ca', 'issuing.key'))).toBe(true);
    // It was seen at all: the authority made them and read them back.
    expect(keys.length).toBeGreaterThanOrEqual(4);
    const owners = new Set(below.map((one) => processOf(one.pid)));
    expect(owners.size).toBe(1);
    expect(owners).not.toContain(String(pid));
    // And the trace covers the broker: it opened its own files.
    const own = openedIn(text).filter((one) => one.path.startsWith(join(data, 'run', 'server')));
    expect(new Set(own.map((one) => processOf(one.pid)))).toContain(String(pid));
  }, 120_000);
});
