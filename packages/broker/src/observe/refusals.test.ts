import { describe, expect, it } from 'vitest';
import type { BrokerEvent } from '../events.ts';
import { RefusalRing } from './refusals.ts';

type Refused = Extract<BrokerEvent, { name: 'peer.refused' }>;

function refused(fields: Partial<Refused> = {}): Refused {
  return {
    name: 'peer.refused',
    atMs: 1_000,
    connection: 7,
    listener: 'devices',
    address: '10.0.0.5',
    identity: 'pump-1',
    clientId: 'pump-1/a',
    layer: 'access',
    reason: 'not-authorized',
    because: 'no rule of role device allows publish',
    rule: 'role device',
    packet: 'publish',
    topic: 'devices/pump-2/up/x',
    seen: 'PUBACK 0x87',
    ...fields,
  };
}

describe('the ring of refusals', () => {
  it('finds the last, by client id, by device, by address and by id', () => {
    const ring = new RefusalRing();
    ring.observe(refused());
    ring.observe(refused({ clientId: 'valve/x', identity: 'valve', address: '10.0.0.6' }));
    expect(ring.find('last', 9).map((row) => row.identity)).toEqual(['valve']);
    for (const query of ['pump-1', 'pump-1/a', '10.0.0.5', 'R1']) {
      expect(ring.find(query, 9).map((row) => row.id)).toEqual(['R1']);
    }
    expect(ring.find('nobody', 9)).toEqual([]);
    expect(ring.find('', 9).map((row) => row.id)).toEqual(['R2', 'R1']);
  });

  it('equal refusals of one source share a row, so a flood pushes nobody out', () => {
    const ring = new RefusalRing(3);
    ring.observe(refused({ address: '192.0.2.1' }));
    for (let i = 0; i < 5_000; i++) ring.observe(refused({ atMs: 2_000 + i, connection: i }));
    expect(ring.size).toBe(2);
    expect(ring.find('last', 1)[0]).toMatchObject({ count: 5_000, firstMs: 2_000, atMs: 6_999, id: 'R2' });
    expect(ring.find('192.0.2.1', 1)).toHaveLength(1);
  });

  describe('of a right', () => {
    const advice = (fields: Partial<Refused>) => {
      const ring = new RefusalRing();
      ring.observe(refused({ identity: 'ca:motte\npump-1', ...fields }));
      return ring.find('last', 1)[0]?.advice ?? '';
    };

    it.each<[string, Partial<Refused>, string]>([
      ['PUBLISH', {}, 'pump-1/a publish devices/pump-2/up/x --via devices --from 10.0.0.5 --explain'],
      ['PUBREL', { packet: 'pubrel', clientId: 'pump-1' }, 'pump-1 publish devices/pump-2/up/x --via devices'],
      ['a will', { packet: 'connect', address: '' }, 'pump-1/a publish devices/pump-2/up/x --via devices --explain'],
      ['SUBSCRIBE', { packet: 'subscribe', topic: 'a b/#' }, "pump-1/a subscribe 'a b/#' --via devices"],
      ['a stranger', { identity: 'listener:lab\nanonymous', listener: 'lab' }, 'anonymous@lab publish devices'],
      ['a user', { identity: 'password\nann', clientId: 'ann/1' }, 'ann@password publish devices'],
      ['a topic with quotes', { topic: "it's;`$(x)" }, "publish 'it'\\''s;`$(x)' --via"],
      ['a topic like an option', { topic: '--json' }, '--explain -- pump-1/a publish --json'],
      ['a client id like a command', { clientId: "pump-1/'; x" }, '`motte access check pump-1 publish'],
      [
        'conditions',
        { because: 'role r allows it only with qos<=1, and this is QoS 2 and without RETAIN' },
        'x --qos 2 --retain --via',
      ],
    ])('%s: asks the same question', (_what, fields, command) => {
      expect(advice(fields)).toContain(command);
    });

    it('says what to do about a topic, whatever words that topic holds', () => {
      const because = 'role device: no rule allows publish plant/expired/disabled/revoked';
      expect(advice({ because, topic: 'plant/expired/disabled/revoked' })).toContain('motte policy apply');
    });

    it('gives no command for a topic that is not kept as it was sent', () => {
      for (const topic of ['x'.repeat(300), 'a\u0007b']) expect(advice({ topic })).toContain('access check CLIENT');
    });
  });

  it('a quota of a role is to be changed there', () => {
    const ring = new RefusalRing();
    ring.observe(refused({ reason: 'quota-exceeded', rule: 'role device, quotas.payloadBytes' }));
    expect(ring.find('last', 1)[0]?.advice).toContain('`quotas`');
  });

  it('keeps no more than its number, the oldest goes first', () => {
    const ring = new RefusalRing(10);
    for (let i = 0; i < 100; i++) ring.observe(refused({ address: `10.0.1.${i}` }));
    expect(ring.size).toBe(10);
    expect(ring.find('', 100).at(-1)?.address).toBe('10.0.1.90');
  });

  it('keeps neither long strings nor control characters of a peer', () => {
    const ring = new RefusalRing();
    ring.observe(refused({ clientId: `\u001b[2J\u202e${'x'.repeat(70_000)}`, topic: 'a\nrule  fake', identity: '' }));
    const [row] = ring.find('last', 1);
    expect(row?.clientId.length).toBeLessThan(300);
    expect(row?.clientId.startsWith('\\u{1b}[2J\\u{202e}xx')).toBe(true);
    expect(row?.text).not.toMatch(/\u001b|\u202e/);
    expect(row?.text.split('\n').filter((line) => line.startsWith('rule'))).toEqual([]);
  });

  it('says layer, time, identity, address, packet, topic, rule, code and what to do', () => {
    const ring = new RefusalRing();
    ring.observe(refused());
    const text = ring.find('last', 1)[0]?.text ?? '';
    for (const part of [
      'access',
      '1970-01-01',
      'pump-1',
      '10.0.0.5',
      'publish',
      'devices/pump-2/up/x',
      'role device',
      '0x87',
    ]) {
      expect(text).toContain(part);
    }
    expect(text).toContain('what to do');
  });

  it('says what to do about an origin, whatever words that origin holds', () => {
    const ring = new RefusalRing();
    const because = 'the origin https://expired.self-signed.example is not listed';
    ring.observe(refused({ layer: 'transport', because, rule: 'listeners.origins' }));
    expect(ring.find('last', 1)[0]?.advice).toContain('`origins` of the listener');
  });

  it("shows the core's key of an identity as people know it", () => {
    const ring = new RefusalRing();
    ring.observe(refused({ identity: 'ca:motte\npump-1' }));
    ring.observe(refused({ identity: 'listener:lab\nanonymous' }));
    expect(ring.find('', 2).map((row) => row.identity)).toEqual(['anonymous@lab', 'pump-1']);
  });

  it('passes over other events', () => {
    const ring = new RefusalRing();
    ring.observe({ name: 'store.fault', atMs: 1, why: 'x' });
    expect(ring.size).toBe(0);
  });
});
