import { describe, expect, it } from 'vitest';
import type { MemoryStage } from '../ports/pressure.ts';
import { Admission, plainAddress } from './admission.ts';

const config = {
  handshakesAtOnceMax: 4,
  connectionsPerSourceMax: 3,
  waitingMax: 10,
  lagMsMax: 200,
  exempt: ['127.0.0.0/8', '::1/128', '192.0.2.7'],
};

describe('Admission', () => {
  it('counts IPv4 by address, also when it comes as IPv6, and IPv6 by network', () => {
    const admission = new Admission(config);
    expect(admission.sourceOf('198.51.100.1')).toBe('198.51.100.1');
    expect(admission.sourceOf('::ffff:198.51.100.1')).toBe('198.51.100.1');
    expect(admission.sourceOf('2001:db8:1:2:3::4')).toBe(admission.sourceOf('2001:db8:1:2:ffff::9'));
    expect(admission.sourceOf('2001:db8:1:3::4')).not.toBe(admission.sourceOf('2001:db8:1:2::4'));
    expect(admission.sourceOf('fe80::1%eth0')).toBe('fe80::/64');
  });

  it('has no budget for exempt addresses and networks, nor for Unix sockets', () => {
    const admission = new Admission(config);
    for (const address of ['127.0.0.1', '127.9.9.9', '::ffff:127.0.0.1', '::1', '192.0.2.7', '']) {
      const source = admission.sourceOf(address);
      for (let n = 0; n < 20; n++) expect(admission.enter(source)).toBeUndefined();
      admission.shaken(source);
      admission.leave(source);
    }
    expect(admission.handshakes).toBe(0);
    expect(admission.sources).toBe(0);
    expect(admission.sourceOf('192.0.2.8')).toBe('192.0.2.8');
  });

  it('refuses a source above its connections, and lets it in again when one has left', () => {
    const admission = new Admission(config);
    for (let n = 0; n < 3; n++) {
      expect(admission.enter('a')).toBeUndefined();
      admission.shaken('a');
    }
    expect(admission.enter('a')).toMatchObject({
      reason: 'connection-rate-exceeded',
      rule: 'admission.connectionsPerSourceMax',
    });
    expect(admission.enter('b')).toBeUndefined();
    admission.leave('a');
    expect(admission.enter('a')).toBeUndefined();
  });

  it('bounds handshakes over all sources, and gives one source half of them at most', () => {
    const admission = new Admission(config);
    expect([admission.enter('a'), admission.enter('a')]).toEqual([undefined, undefined]);
    expect(admission.enter('a')).toMatchObject({
      reason: 'connection-rate-exceeded',
      rule: 'admission.handshakesAtOnceMax',
    });
    expect([admission.enter('b'), admission.enter('c')]).toEqual([undefined, undefined]);
    expect(admission.enter('d')).toMatchObject({ reason: 'server-busy', rule: 'admission.handshakesAtOnceMax' });
    admission.shaken('b');
    expect(admission.enter('d')).toBeUndefined();
  });

  it('when memory is short lets few at a time find out whether they are known', () => {
    const pressure: { stage: MemoryStage; isLate: boolean } = { stage: 0, isLate: false };
    const admission = new Admission({ ...config, handshakesAtOnceMax: 32 }, pressure);
    const enterAll = (name: string) =>
      Array.from({ length: 40 }, (_, n) => admission.enter(`${name}${n}`)).filter((refusal) => refusal === undefined)
        .length;
    expect(enterAll('a')).toBe(32);
    for (let n = 0; n < 32; n++) admission.shaken(`a${n}`);
    pressure.stage = 2;
    expect(enterAll('b')).toBe(4);
    expect(admission.enter('c')).toMatchObject({ reason: 'server-busy', rule: 'admission.handshakesAtOnceMax' });
  });

  it('forgets a source with its last connection', () => {
    const admission = new Admission(config);
    admission.enter('a');
    admission.enter('a');
    admission.shaken('a');
    admission.shaken('a');
    admission.leave('a');
    expect(admission.sources).toBe(1);
    admission.leave('a');
    expect(admission.sources).toBe(0);
    expect(admission.handshakes).toBe(0);
  });

  it('does not start with an exemption that is none', () => {
    expect(() => new Admission({ ...config, exempt: ['10.0.0.0/99'] })).toThrow();
  });

  it('writes addresses one way', () => {
    expect(plainAddress('::ffff:10.0.0.1')).toBe('10.0.0.1');
    expect(plainAddress('2001:0DB8::0001')).toBe('2001:db8::1');
  });
});
