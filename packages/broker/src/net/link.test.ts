import { decode, type Packet } from '@motte/wire';
import { describe, expect, it } from 'vitest';
import { duplexPair, settle } from '../../../../test/harness/duplex-pair.ts';
import { StreamLink } from './link.ts';

/** A link, what its owner was told, and the bytes that came out at the other end. */
function linked(highWaterBytes = 1000) {
  const [ours, theirs] = duplexPair();
  const told: string[] = [];
  let got: Buffer = Buffer.alloc(0);
  const chunks: number[] = [];
  theirs.on('data', (chunk: Buffer) => {
    got = Buffer.concat([got, chunk]);
    chunks.push(chunk.length);
  });
  const owner = {
    run: (step: () => void) => step(),
    pump: () => void told.push('pump'),
    drained: () => void told.push('drained'),
    closing: () => void told.push('closing'),
    finished: () => void told.push('finished'),
    progressed: () => undefined,
  };
  const link = new StreamLink(ours, owner, { highWaterBytes });
  return { link, told, theirs, bytes: () => got, chunks };
}

const packetsIn = (bytes: Buffer, version: 4 | 5): Packet[] => {
  const packets: Packet[] = [];
  for (let at = 0; at < bytes.length; at += 2 + (bytes[at + 1] as number)) {
    packets.push(decode(bytes.subarray(at, at + 2 + (bytes[at + 1] as number)), version));
  }
  return packets;
};

describe('StreamLink', () => {
  it('writes what one turn brings in one go', async () => {
    const { link, bytes, chunks } = linked();
    for (let n = 1; n <= 50; n++) link.ack(4, n, 0);
    expect(bytes()).toHaveLength(0);
    await settle();
    expect(bytes()).toHaveLength(200);
    expect(chunks).toEqual([200]);
  });

  it.each([
    [4, 'puback'],
    [5, 'pubrec'],
    [6, 'pubrel'],
    [7, 'pubcomp'],
  ] as const)(
    '[MQTT-3.6.1-1] acknowledges with type %i as %s, the reason only where the version has one',
    async (type, name) => {
      for (const version of [4, 5] as const) {
        const { link, bytes } = linked();
        link.version = version;
        const code = type < 6 ? 0x10 : 0x92;
        link.ack(type, 0xabcd, 0);
        link.ack(type, 1, code);
        await settle();
        expect(packetsIn(bytes(), version)).toMatchObject([
          { type: name, packetId: 0xabcd, reasonCode: 0 },
          { type: name, packetId: 1, reasonCode: version === 5 ? code : 0 },
        ]);
      }
    },
  );

  it('fills the holes of a template in its own copy', async () => {
    const { link, bytes } = linked();
    const template = { bytes: Uint8Array.of(0x32, 6, 0, 1, 0x61, 0, 0, 0x78), packetIdAt: 5, aliasAt: -1 };
    link.send(template, 0x0102, 0);
    link.send(template, 0x0304, 0);
    await settle();
    expect(packetsIn(bytes(), 4)).toMatchObject([{ packetId: 0x0102 }, { packetId: 0x0304 }]);
    expect([...template.bytes]).toEqual([0x32, 6, 0, 1, 0x61, 0, 0, 0x78]);
  });

  it('is congested above the mark, and says so when the peer has taken half of it', async () => {
    const { link, told, theirs, bytes } = linked(50_000);
    theirs.pause();
    for (let n = 0; n < 12; n++) link.write(new Uint8Array(5_000));
    expect(link.congested).toBe(true);
    await settle();
    expect(link.congested).toBe(true);
    expect(told).toEqual([]);
    theirs.resume();
    await settle();
    expect([link.congested, link.unsentBytes, bytes().length]).toEqual([false, 0, 60_000]);
    expect(told).toEqual(['drained']);
  });

  it('sends what it has before it ends, and nothing afterwards', async () => {
    const { link, told, bytes } = linked();
    link.write(Uint8Array.of(1, 2, 3));
    link.close();
    link.write(Uint8Array.of(4));
    link.ack(4, 1, 0);
    link.close();
    await settle();
    expect([...bytes()]).toEqual([1, 2, 3]);
    expect(told).toEqual(['closing', 'finished']);
  });

  it('that is discarded writes nothing any more', async () => {
    const { link, bytes, told } = linked();
    link.write(Uint8Array.of(1));
    link.discard();
    await settle();
    expect([bytes().length, link.unsentBytes, told]).toEqual([0, 0, []]);
  });
});
