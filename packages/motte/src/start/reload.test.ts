import { describe, expect, it } from 'vitest';
import { parseText } from '../config/config.ts';
import { changesBetween } from './reload.ts';

const base = parseText('{}', 'motte.yaml');

describe('what a reload may change', () => {
  it.each([
    ['{}', []],
    ['log: { level: warn }', [{ key: 'log.level', applies: 'now' }]],
    ['limits: { receiveMaximum: 7 }', [{ key: 'limits.receiveMaximum', applies: 'restart' }]],
    ['console: off', [{ key: 'console', applies: 'restart' }]],
    ['listeners: []', [{ key: 'listeners', applies: 'restart' }]],
    ['listeners: [{ name: devices, url: "mqtts://0.0.0.0:8884" }]', [{ key: 'listeners[0].url', applies: 'restart' }]],
    ['tls: { certificate: { cert: a, key: b } }', [{ key: 'tls.certificate', applies: 'now' }]],
    ['waivers: { tls.minVersion: because }', [{ key: 'waivers["tls.minVersion"]', applies: 'now' }]],
  ])('%s', (text, expected) => {
    const changes = changesBetween(base, parseText(text, 'motte.yaml'));
    expect(changes.map(({ key, applies }) => ({ key: key.replace(/\."(.*)"$/, '["$1"]'), applies }))).toEqual(expected);
  });
});
