// A payload as large as MQTT allows, 256 MiB less the header: refused by its declared length where the limits are as delivered; carried,
// kept and delivered after a restart where an operator raised them.

import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, it } from 'vitest';
import { type Started, startBroker } from '../../packages/motte/src/testing/program.ts';
import { frame, startTestBroker, text, uint16 } from '../harness/index.ts';
import { WireClient } from '../restart/wire-client.ts';

const folder = mkdtempSync(join(tmpdir(), 'motte-large-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

/** The largest remaining length there is [MQTT-1.5.5], less the topic `big`, a packet identifier and no properties. */
const PAYLOAD_BYTES = 268_435_455 - 5 - 2 - 1;

describe('a payload of 256 MiB', () => {
  it.each([4, 5] as const)('is refused by the length it declares, before it is sent (version %i)', async (version) => {
    const broker = startTestBroker();
    const client = await broker.connect('c', { version });
    client.sendBytes('32 ff ff ff 7f');
    await client.expectDisconnected('packet-too-large');
  });

  it('is carried where limits are raised: kept for a session that is away, over a kill -9, and delivered', {
    timeout: 300_000,
  }, async () => {
    const data = join(folder, 'data');
    mkdirSync(data);
    writeFileSync(
      join(data, 'motte.yaml'),
      `listeners:
  - { name: plain, url: "mqtt://127.0.0.1:0", authentication: none, role: lab, clientIds: any, waiver: "test on loopback" }
console: off
log: { level: info, shape: json }
limits: { packetBytesMax: 268435460, queueBytesMax: 1073741824, unsentBytesMax: 1073741824, stagedBytesMax: 1073741824 }
`,
    );
    let { broker, port } = await start(data);
    try {
      const away = await WireClient.connect(port, 'away');
      await away.subscribe('big', 1);
      away.end();
      await away.closed;
      await publishLarge(port);
      broker.child.kill('SIGKILL');
      await broker.exited;
      ({ broker, port } = await start(data));
      await receiveLarge(port, 'away');
    } finally {
      broker.child.kill('SIGKILL');
      await broker.exited;
    }
  });
});

async function start(data: string): Promise<{ broker: Started; port: number }> {
  const broker = await startBroker(data);
  while (!broker.out().includes('"msg":"up"')) await new Promise((resolve) => setTimeout(resolve, 20));
  return { broker, port: Number(/"listener.opened".*?127\.0\.0\.1:([0-9]+)/.exec(broker.out())?.[1]) };
}

/** A pattern whose length divides no power of two: a piece in the wrong place shows. */
const payload = (): Buffer => Buffer.alloc(PAYLOAD_BYTES, Buffer.from(Array.from({ length: 251 }, (_, n) => n)));

/** Sends it with QoS 1 and waits for PUBACK. */
function publishLarge(port: number): Promise<void> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(frame(0x10, text('MQTT'), 5, 2, uint16(0), 0, text('publisher')));
      socket.write(Uint8Array.of(0x32, 0xff, 0xff, 0xff, 0x7f));
      socket.write(Buffer.concat([text('big'), uint16(1), Uint8Array.of(0)]));
      socket.write(payload());
    });
    let got = Buffer.alloc(0);
    socket.on('data', (chunk: Buffer) => {
      got = Buffer.concat([got, chunk]);
      const at = 2 + (got[1] ?? 0);
      if (got.length < at + 4) return;
      socket.destroy();
      if (got[at] === 0x40) resolve();
      else reject(new Error(`expected PUBACK, got ${got.toString('hex')}`));
    });
    socket.on('error', reject);
    socket.on('close', () => reject(new Error(`the broker closed: ${got.toString('hex')}`)));
  });
}

/** Takes it as a session that was away, and acknowledges it. */
function receiveLarge(port: number, clientId: string): Promise<void> {
  return new Promise((resolve, reject) => {
    // MQTT 5.0, a session of an hour.
    const properties = Uint8Array.of(5, 0x11, 0, 0, 0x0e, 0x10);
    const socket = connect(port, '127.0.0.1', () => {
      socket.write(frame(0x10, text('MQTT'), 5, 0, uint16(0), properties, text(clientId)));
    });
    const chunks: Buffer[] = [];
    let length = 0;
    socket.on('data', (chunk: Buffer) => {
      chunks.push(chunk);
      length += chunk.length;
      if (length < PAYLOAD_BYTES) return;
      const all = Buffer.concat(chunks);
      const at = 2 + (all[1] as number);
      if (all.length < at + 5 + 268_435_455) return;
      const id = all.readUInt16BE(at + 5 + 5);
      const from = at + 5 + 5 + 2 + 1;
      const isSame = all.subarray(from, from + PAYLOAD_BYTES).equals(payload());
      socket.end(Buffer.concat([Uint8Array.of(0x40, 2), uint16(id)]));
      socket.on('close', () => (isSame ? resolve() : reject(new Error('it is not what was sent'))));
    });
    socket.on('error', reject);
  });
}
