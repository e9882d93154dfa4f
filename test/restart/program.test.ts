// SIGTERM to the real program while clients are in the middle of something.

import { createConnection } from 'node:net';
import { describe, expect, it } from 'vitest';
import { Program } from './program.ts';
import { WireClient } from './wire-client.ts';

const SHUTTING_DOWN = 0x8b;
const QUOTA_EXCEEDED = 0x97;

/** Publishes with ten messages under way until it is told to go; gives what was acknowledged. */
async function publishUntilTold(client: WireClient, topic: string): Promise<{ acknowledged: string[]; code: number }> {
  const acknowledged: string[] = [];
  for (let id = 1; id <= 10; id++) client.publish(topic, String(id), 1, id);
  for (let next = 11; ; ) {
    const packet = await client.take();
    if (packet === undefined) return { acknowledged, code: -1 };
    if (packet.type === 'disconnect') return { acknowledged, code: packet.reasonCode };
    if (packet.type !== 'puback') continue;
    acknowledged.push(String(packet.packetId));
    if (next <= 60_000) client.publish(topic, String(next), 1, next++);
  }
}

/** A message that its client was given and did not acknowledge; the client and the packet identifier. */
async function openExchange(port: number, version: 4 | 5 = 5): Promise<[WireClient, number]> {
  const client = await WireClient.connect(port, 'open', version);
  await client.subscribe('open', 1);
  const publisher = await WireClient.connect(port, 'p');
  publisher.publish('open', 'x', 1, 1);
  const { packetId } = await client.next('publish');
  publisher.end();
  return [client, packetId];
}

describe('SIGTERM', { timeout: 60_000 }, () => {
  it('in the middle of traffic: publishers are told, exit 0, and every acknowledged message is there afterwards', async () => {
    const program = new Program();
    const limits = '{ queueMessagesMax: 100000 }';
    let port = await program.start({ limits });
    const away = await WireClient.connect(port, 'away');
    await away.subscribe('q/#', 1);
    away.end();
    const publishers = [await WireClient.connect(port, 'p1'), await WireClient.connect(port, 'p2', 4)];
    const work = Promise.all(publishers.map((client, at) => publishUntilTold(client, `q/${at}`)));
    while (Number(program.events('client.connected').length) < 3)
      await new Promise((resolve) => setTimeout(resolve, 10));
    await new Promise((resolve) => setTimeout(resolve, 300));
    program.signal('SIGTERM');
    const outcomes = await work;
    expect(await program.exited).toBe(0);
    expect(outcomes.map(({ code }) => code)).toEqual([SHUTTING_DOWN, -1]);
    expect(program.events('broker.stopped')).toMatchObject([{ unfinished: 0 }]);

    port = await program.start({ limits });
    const back = await WireClient.connect(port, 'away');
    const owed = new Set(
      outcomes.flatMap(({ acknowledged }, at) => acknowledged.map((payload) => `q/${at} ${payload}`)),
    );
    expect(owed.size).toBeGreaterThan(20);
    while (owed.size > 0) {
      const { topic, payload, packetId } = await back.next('publish');
      owed.delete(`${topic} ${new TextDecoder().decode(payload)}`);
      back.ack('puback', packetId);
    }
  });

  it.each([4, 5] as const)(
    'an exchange that is under way is finished first, MQTT %i, and nobody new gets in',
    async (version) => {
      const program = new Program();
      const port = await program.start({ limits: '{ drainMs: 300000 }' });
      const [client, packetId] = await openExchange(port, version);
      const idle = await WireClient.connect(port, 'idle', version);
      program.signal('SIGTERM');
      if (version === 5) expect((await idle.next('disconnect')).reasonCode).toBe(SHUTTING_DOWN);
      await idle.closed;
      const refused = await new Promise<string>((resolve) => {
        createConnection(port, '127.0.0.1', () => resolve('accepted')).once('error', (fault) => resolve(String(fault)));
      });
      expect(refused).toContain('ECONNREFUSED');
      client.ack('puback', packetId);
      if (version === 5) expect((await client.next('disconnect')).reasonCode).toBe(SHUTTING_DOWN);
      await client.closed;
      expect(await program.exited).toBe(0);
      expect(program.events('broker.stopped')).toMatchObject([{ unfinished: 0 }]);
    },
  );

  it('waits for limits.drainMs and no longer', async () => {
    const program = new Program();
    const [client] = await openExchange(await program.start({ limits: '{ drainMs: 100 }' }));
    program.signal('SIGTERM');
    expect((await client.next('disconnect')).reasonCode).toBe(SHUTTING_DOWN);
    expect(await program.exited).toBe(0);
    expect(program.events('broker.stopped')).toMatchObject([{ unfinished: 1 }]);
  });

  it.each([
    ['SIGTERM', 143],
    ['SIGINT', 130],
  ] as const)('%s after it ends the program at once', async (second, code) => {
    const program = new Program();
    const [client] = await openExchange(await program.start({ limits: '{ drainMs: 300000 }' }));
    program.signal('SIGTERM');
    await program.says('"event":"broker.stopping"');
    program.signal(second);
    expect(await program.exited).toBe(code);
    client.end();
  });

  it('a store that cannot be synced is said in the log and by the exit code', async () => {
    const program = new Program();
    const port = await program.start({ fileKib: 256 });
    const away = await WireClient.connect(port, 'away');
    await away.subscribe('q', 1);
    away.end();
    const publisher = await WireClient.connect(port, 'p');
    for (let id = 1, code = 0; code !== QUOTA_EXCEEDED; id++) {
      publisher.publish('q', 'x'.repeat(20_000), 1, id);
      const packet = await publisher.take();
      // Whoever waited when the disk first said no is disconnected, and sends again.
      if (packet === undefined || packet.type === 'disconnect') break;
      if (packet.type === 'puback') code = packet.reasonCode;
    }
    program.signal('SIGTERM');
    expect(await program.exited).toBe(4);
    expect(program.err).toContain('(MOT-0209)');
    expect(program.events('store.fault').length).toBeGreaterThan(0);
    expect(program.events('broker.stopped')).toEqual([]);
  });
});
