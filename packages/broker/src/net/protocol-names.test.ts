import { describe, expect, it } from 'vitest';
import { chooseProtocol, protocolNames } from './protocol-names.ts';

describe('protocol names', () => {
  it.each([
    [{ scheme: 'mqtts' }, ['mqtt'], 'mqtt'],
    [{ scheme: 'mqtts' }, ['h2', 'mqtt'], 'mqtt'],
    [{ scheme: 'mqtts' }, ['x-plant'], undefined],
    [{ scheme: 'mqtts' }, ['MQTT'], undefined],
    [{ scheme: 'mqtts', alpn: 'x-plant' }, ['x-plant'], 'x-plant'],
    [{ scheme: 'mqtts', alpn: 'x-plant' }, ['x-plant', 'mqtt'], 'mqtt'],
    [{ scheme: 'wss' }, ['h2', 'http/1.1'], 'http/1.1'],
    [{ scheme: 'wss' }, ['mqtt'], undefined],
    [{ scheme: 'wss' }, ['h2'], undefined],
  ] as const)('%j, offered %j: %s', (listener, offered, expected) => {
    expect(chooseProtocol(offered, protocolNames(listener))).toBe(expected);
  });
});
