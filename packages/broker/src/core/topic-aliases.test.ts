import { PeerError, parseTopicName } from '@motte/wire';
import { describe, expect, it } from 'vitest';
import { IncomingAliases, OutgoingAliases } from './topic-aliases.ts';

const TOPIC = parseTopicName('plant/line1');
const BYTES = new TextEncoder().encode(TOPIC);

describe('IncomingAliases', () => {
  it('resolves an alias to the topic it was last set to', () => {
    const aliases = new IncomingAliases(2);
    aliases.set(1, parseTopicName('a'), BYTES);
    aliases.set(1, TOPIC, BYTES);
    expect(aliases.resolve(1).topic).toBe(TOPIC);
  });

  it('[MQTT-3.3.2-9] refuses a number above the maximum', () => {
    const aliases = new IncomingAliases(2);
    expect(() => aliases.set(3, TOPIC, BYTES)).toThrow(PeerError);
    expect(() => aliases.resolve(3)).toThrow(/above 2/);
  });

  it('refuses an alias that was never set on this connection', () => {
    expect(() => new IncomingAliases(2).resolve(1)).toThrow(/was not set/);
  });
});

describe('OutgoingAliases', () => {
  it('gives numbers in order of use until none is free', () => {
    const aliases = new OutgoingAliases(2);
    expect(aliases.known(TOPIC)).toBe(0);
    expect(aliases.give(TOPIC)).toBe(1);
    expect(aliases.known(TOPIC)).toBe(1);
    expect(aliases.give(parseTopicName('b'))).toBe(2);
    expect(aliases.give(parseTopicName('c'))).toBe(0);
  });
});
