import { once } from 'node:events';
import { connect, createServer } from 'node:net';
import { describe, expect, it } from 'vitest';
import { LISTENER } from '../../../../test/fixtures/test-listener.ts';
import { FakeClock } from '../../../../test/harness/fake-clock.ts';
import type { Emit } from '../events.ts';
import type { ListenerConfig } from '../ports/config.ts';
import type { ConnectionFacts } from '../ports/connection-facts.ts';
import { Counters } from '../ports/counters.ts';
import { DEFAULT_LIMITS } from '../ports/limits.ts';
import { CALM } from '../ports/pressure.ts';
import { refuse } from '../ports/verdict.ts';
import { Listeners } from './listeners.ts';

const CONNECT = Buffer.from('100c00044d5154540402003c0000', 'hex');

function plain(name: string, port = 0): ListenerConfig {
  return { ...LISTENER, name, scheme: 'mqtt', url: `mqtt://127.0.0.1:${port}`, authentication: 'none', port };
}

function listenersOf(...configs: ListenerConfig[]): Opened {
  return limitedListeners(Number.POSITIVE_INFINITY, configs);
}

interface Opened {
  listeners: Listeners;
  accepted: ConnectionFacts[];
  events: string[];
}

function limitedListeners(connectionsMax: number, configs: ListenerConfig[]): Opened {
  const accepted: ConnectionFacts[] = [];
  const events: string[] = [];
  const emit: Emit = Object.assign((name: string) => void events.push(name), { wanted: () => true });
  const listeners = new Listeners({
    config: {
      number: 1,
      listeners: configs,
      limits: DEFAULT_LIMITS,
      admission: { handshakesAtOnceMax: 10, connectionsPerSourceMax: 10, waitingMax: 100, lagMsMax: 200, exempt: [] },
      store: { kind: 'memory', lingerMs: 5 },
    },
    guards: { admit: () => undefined, authenticate: async () => refuse('not-authorized', 'unused', 'test') },
    clock: new FakeClock(),
    counters: new Counters(),
    emit,
    connectionsMax,
    pressure: CALM,
    onConnection: (stream, facts) => {
      accepted.push(facts);
      stream.resume();
    },
  });
  return { listeners, accepted, events };
}

describe('Listeners', () => {
  it('open together, number connections as one, and close together', async () => {
    const { listeners, accepted, events } = listenersOf(plain('one'), plain('two'));
    expect(listeners.rows.map(({ state }) => state)).toEqual(['closed', 'closed']);
    await listeners.open();
    expect(listeners.rows).toMatchObject([
      { name: 'one', state: 'open', authentication: 'none', connections: 0 },
      { name: 'two', state: 'open' },
    ]);
    const sockets = listeners.rows.map(({ url }) => connect(Number(url.split(':')[2]), '127.0.0.1'));
    for (const socket of sockets) {
      socket.write(CONNECT);
      socket.on('error', () => undefined);
    }
    while (accepted.length < 2) await new Promise((resolve) => setTimeout(resolve, 5));
    expect(accepted.map(({ id }) => id).sort()).toEqual([1, 2]);
    expect(listeners.connections).toBe(2);
    await listeners.close();
    expect(listeners.rows.map(({ state, connections }) => [state, connections])).toEqual([
      ['closed', 1],
      ['closed', 1],
    ]);
    listeners.destroy();
    await Promise.all(sockets.map((socket) => new Promise((resolve) => socket.once('close', resolve))));
    expect(events).toEqual(['listener.opened', 'listener.opened']);
  });

  it('take no more connections than there are files for, and say so', async () => {
    const { listeners, accepted, events } = limitedListeners(3, [plain('one'), plain('two')]);
    await listeners.open();
    const [one, two] = listeners.rows.map(({ url }) => Number(url.split(':')[2]));
    const sockets = [one, one, two, two, one].map((port) => connect(Number(port), '127.0.0.1'));
    const closed = sockets.map((socket) => {
      socket.on('error', () => undefined).on('connect', () => socket.write(CONNECT));
      return new Promise((resolve) => socket.once('close', resolve));
    });
    while (events.filter((name) => name === 'peer.refused').length < 2) await Promise.race(closed);
    while (accepted.length < 3) await new Promise((resolve) => setTimeout(resolve, 5));
    await listeners.close();
    listeners.destroy();
    await Promise.all(closed);
  });

  it('leave nothing open when one of them cannot be opened, and say which', async () => {
    const other = createServer().listen(0, '127.0.0.1');
    await once(other, 'listening');
    const { port } = other.address() as { port: number };
    const { listeners, events } = listenersOf(plain('one'), plain('two', port));
    await expect(listeners.open()).rejects.toMatchObject({
      code: 'MOT-0301',
      why: expect.stringContaining('listener two'),
    });
    expect(listeners.rows).toMatchObject([
      { state: 'closed' },
      { state: 'failed', why: expect.stringContaining('another program') },
    ]);
    expect(events).toEqual(['listener.opened', 'listener.failed']);
    other.close();
  });
});
