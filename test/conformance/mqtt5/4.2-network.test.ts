// MQTT 5.0, 4.2: an ordered, lossless stream of bytes, whatever it is made of; spoken by our own client.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  connectClient,
  type MqttClient,
  type OpenTransport,
  tcpTransport,
  unixTransport,
  webSocketTransport,
} from '@motte/client';
import { describe, expect, it, onTestFinished } from 'vitest';
import { listenOn } from '../../harness/index.ts';

const WAYS: readonly (readonly [string, () => Promise<OpenTransport>])[] = [
  [
    'TCP',
    async () => {
      const { hostname: host, port } = new URL(await listenOn({ scheme: 'mqtt' }));
      return tcpTransport({ host, port: Number(port) });
    },
  ],
  [
    'a Unix socket',
    async () => {
      const folder = mkdtempSync(join(tmpdir(), 'motte-'));
      onTestFinished(() => rmSync(folder, { recursive: true }));
      const path = join(folder, 'mqtt.sock');
      await listenOn({ scheme: 'mqtt+unix', path });
      return unixTransport(path);
    },
  ],
  ['WebSocket', async () => webSocketTransport({ url: await listenOn({ scheme: 'ws', path: '/mqtt' }) })],
];

describe('the network', () => {
  it.each(WAYS)('[MQTT-4.2.0-1] %s carries MQTT in order and without loss', async (_name, open) => {
    const transport = await open();
    const got: string[] = [];
    let arrived: () => void = () => undefined;
    const all = new Promise<void>((resolve) => {
      arrived = resolve;
    });
    const subscriber: MqttClient = await connectClient({ transport, clientId: 's' });
    const publisher: MqttClient = await connectClient({ transport, clientId: 'p' });
    subscriber.onMessage(({ topic, payload }) => {
      got.push(`${topic} ${payload.length}`);
      if (got.length === 30) arrived();
    });
    expect(await subscriber.subscribe([{ filter: 'a/#', qos: 2 }])).toEqual([2]);
    const sizes = Array.from({ length: 30 }, (_, n) => (n % 10) * 7_001);
    await Promise.all(
      sizes.map((size, n) => publisher.publish(`a/${n}`, 'x'.repeat(size), { qos: n % 2 === 0 ? 1 : 2 })),
    );
    await all;
    for (const parity of [0, 1]) {
      const expected = sizes.map((size, n) => `a/${n} ${size}`).filter((_, n) => n % 2 === parity);
      expect(got.filter((line) => expected.includes(line))).toEqual(expected);
    }
    await subscriber.disconnect();
    await publisher.disconnect();
    expect((await publisher.closed).byPeer).toBe(false);
  });
});
