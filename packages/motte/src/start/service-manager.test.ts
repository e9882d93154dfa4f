// Against a `systemd-notify` of our own that notes what it was told; the real one is in test/e2e/service.test.ts.

import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, describe, expect, it, vi } from 'vitest';
import { openServiceManager, type ServiceManagerParts } from './service-manager.ts';
import { watchForStuckStore } from './store-watch.ts';

const folder = mkdtempSync(join(tmpdir(), 'motte-notify-'));
const heard = join(folder, 'heard');
const env = { NOTIFY_SOCKET: '/nowhere', HEARD: heard, PATH: `${folder}:${process.env['PATH']}` };
const reports: string[] = [];
const report: ServiceManagerParts['report'] = (level, _, why) => void reports.push(`${level} ${why}`);
const lines = (): string[] => readFileSync(heard, 'utf8').split('\n').slice(0, -1);

beforeEach(() => {
  reports.length = 0;
  writeFileSync(heard, '');
  writeFileSync(join(folder, 'systemd-notify'), '#!/bin/sh\necho "$@" >> "$HEARD"\n', { mode: 0o755 });
});
afterAll(() => rmSync(folder, { recursive: true }));

describe('what the service manager is told', () => {
  it('comes in order, one message at a time', async () => {
    const manager = openServiceManager({ env, report });
    manager.status('reading\nwhat is stored');
    manager.ready('one');
    manager.reloading();
    manager.ready('two');
    manager.stopping('three');
    await manager.close();
    expect(lines()).toEqual([
      '-- STATUS=reading what is stored',
      '-- READY=1 STATUS=one',
      expect.stringMatching(/^-- RELOADING=1 MONOTONIC_USEC=[0-9]+ STATUS=/),
      '-- READY=1 STATUS=two',
      '-- STOPPING=1 STATUS=three',
    ]);
    expect(reports).toEqual([]);
  });

  it('is nothing where nobody asked for it', async () => {
    const { NOTIFY_SOCKET: _, ...without } = env;
    const manager = openServiceManager({ env: { ...without, WATCHDOG_USEC: '1' }, report });
    manager.ready('one');
    manager.watch(
      () => undefined,
      () => '',
    );
    await manager.close();
    expect(lines()).toEqual([]);
  });

  it('is reported once if it does not get through, and once more after it did', async () => {
    const program = join(folder, 'systemd-notify');
    writeFileSync(program, '#!/bin/sh\necho no such socket >&2\nexit 1\n', { mode: 0o755 });
    const manager = openServiceManager({ env, report });
    for (const text of ['one', 'two']) manager.status(text);
    await manager.close();
    expect(reports).toEqual(['warn systemd-notify: no such socket']);
  });
});

describe('the watchdog', () => {
  it('is fed again and again, for this process alone, and no more once something is wrong', async () => {
    const health: { wrong: string | undefined } = { wrong: undefined };
    const watching = { ...env, WATCHDOG_USEC: '200000', WATCHDOG_PID: String(process.pid) };
    const manager = openServiceManager({ env: watching, report });
    manager.watch(
      () => health.wrong,
      () => 'well',
    );
    await vi.waitFor(() => expect(lines().length).toBeGreaterThan(2), 10_000);
    expect(new Set(lines())).toEqual(new Set(['-- WATCHDOG=1 STATUS=well']));
    health.wrong = 'the store has not answered for 20 s';
    await vi.waitFor(() => expect(reports.length).toBeGreaterThan(1), 10_000);
    const fed = lines().length;
    await vi.waitFor(() => expect(reports.length).toBeGreaterThan(3), 10_000);
    await manager.close();
    expect(lines().length).toBe(fed);
    expect(reports[0]).toBe('error the store has not answered for 20 s');

    const other = openServiceManager({ env: { ...watching, WATCHDOG_PID: '1' }, report: () => expect.unreachable() });
    other.watch(
      () => 'never asked',
      () => '',
    );
    await new Promise((resolve) => setTimeout(resolve, 300));
    await other.close();
  });

  it('is left alone while a commit does not come back, not while the disk says no', () => {
    let nowMs = 0;
    const store = {
      lastTicket: 3,
      failing: undefined as string | undefined,
      isCommitted: (ticket: number) => ticket < 3,
    };
    const wrong = watchForStuckStore(store, () => nowMs);
    expect(wrong()).toBeUndefined();
    nowMs += 9_000;
    expect(wrong()).toBeUndefined();
    nowMs += 11_000;
    expect(wrong()).toBe('the store has not answered for 20 s');
    store.failing = 'no space left on device';
    expect(wrong()).toBeUndefined();
    store.failing = undefined;
    nowMs += 5_000;
    expect(wrong()).toBeUndefined();
    nowMs += 10_000;
    expect(wrong()).toBe('the store has not answered for 15 s');
    store.isCommitted = () => true;
    expect(wrong()).toBeUndefined();
  });
});
