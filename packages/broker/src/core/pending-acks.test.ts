import { describe, expect, it } from 'vitest';
import type { Link } from '../ports/link.ts';
import { PendingAcks } from './pending-acks.ts';

function linkThatNotes(): { link: Link; sent: string[] } {
  const sent: string[] = [];
  const link = {
    ack: (type: number, packetId: number, reasonCode: number) => sent.push(`${type} ${packetId} ${reasonCode}`),
    write: (packet: Uint8Array) => sent.push(`packet of ${packet.length}`),
  } as unknown as Link;
  return { link, sent };
}

describe('PendingAcks', () => {
  it('[MQTT-4.6.0-2] sends acknowledgements in the order of their packets, however the commits come', () => {
    const { link, sent } = linkThatNotes();
    const acks = new PendingAcks();
    acks.push(4, 1, 0, 7, undefined);
    acks.push(4, 2, 0x87, 0, undefined);
    acks.push(5, 3, 0, 5, undefined);
    acks.release(6, link);
    expect(sent).toEqual([]);
    acks.release(7, link);
    expect(sent).toEqual(['4 1 0', '4 2 135', '5 3 0']);
    expect(acks.empty).toBe(true);
  });

  it('counts only what holds a place of the quota', () => {
    const { link } = linkThatNotes();
    const acks = new PendingAcks();
    acks.push(4, 1, 0, 1, undefined);
    acks.push(7, 2, 0, 1, undefined);
    acks.push(0, 0, 0, 1, Uint8Array.of(0xd0, 0));
    expect(acks.pubacks).toBe(1);
    acks.release(1, link);
    expect(acks.pubacks).toBe(0);
  });

  it('keeps no memory of what it has sent', () => {
    const { link, sent } = linkThatNotes();
    const acks = new PendingAcks();
    for (let ticket = 1; ticket <= 5000; ticket++) {
      acks.push(4, 1, 0, ticket, undefined);
      acks.push(4, 2, 0, ticket + 1, undefined);
      acks.release(ticket, link);
    }
    expect(sent.length).toBeGreaterThanOrEqual(9000);
    expect(Object.values(acks).find(Array.isArray)?.length).toBeLessThan(3000);
  });
});
