import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DEFAULT_LIMITS } from '@motte/broker/ports/limits';
import { afterAll, describe, expect, it } from 'vitest';
import type { Schema } from './check.ts';
import { loadConfig, parseText } from './config.ts';
import { SCHEMA } from './schema.ts';
import { expiredWaivers } from './weaker.ts';

const folder = mkdtempSync(join(tmpdir(), 'motte-config-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the configuration', () => {
  it('without a file is the defaults: one mTLS listener, the console on loopback, nothing else', () => {
    const config = loadConfig({ path: join(folder, 'none.yaml'), explicit: false });
    expect(config).toMatchObject({
      number: 1,
      file: undefined,
      console: { port: 8443 },
      limits: DEFAULT_LIMITS,
      store: { kind: 'level', lingerMs: 5, freeBytesMin: 64 * 1024 ** 2 },
      admission: { exempt: ['127.0.0.0/8', '::1/128'] },
    });
    expect(config.listeners).toEqual([
      {
        clientCa: ['ca:motte'],
        onExpiry: 'end',
        certificateName: { from: 'cn' },
        name: 'devices',
        scheme: 'mqtts',
        authentication: 'certificate',
        role: undefined,
        clientIds: 'own',
        versions: [3, 4, 5],
        url: 'mqtts://0.0.0.0:8883',
        host: '0.0.0.0',
        port: 8883,
        path: '',
        connectionsMax: 20_000,
        tlsMinVersion: '1.2',
        ticketSeconds: 3_600,
        origins: [],
      },
    ]);
  });

  it('ties no client id to a name where nobody is named', () => {
    const text = 'listeners:\n  - { name: lab, url: "mqtt://127.0.0.1:0", authentication: none, waiver: bench }\n';
    const path = join(folder, 'lab.yaml');
    writeFileSync(path, text);
    expect(loadConfig({ path, explicit: false }).listeners[0]?.clientIds).toBe('any');
  });

  it('is frozen through and through', () => {
    const config = loadConfig({ path: join(folder, 'none.yaml'), explicit: false });
    expect(() => Object.assign(config.limits, { receiveMaximum: 1 })).toThrow();
    expect(() => (config.listeners as unknown[]).push({})).toThrow();
  });

  it.each([
    ['is not UTF-8', Buffer.from([0x6c, 0xff]), 'MOT-0101'],
    ['is too large', Buffer.alloc(1024 * 1024 + 1, 0x20), 'MOT-0101'],
    ['is empty', Buffer.alloc(0), 'MOT-0102'],
    ['nests too deep', Buffer.from('['.repeat(100_000)), 'MOT-0102'],
    // Deep enough in blocks ends the process of whoever parses it, not the parser.
    ['nests too deep in blocks', Buffer.from('- '.repeat(500_000)), 'MOT-0102'],
    ['has keys without end', Buffer.from(Array.from({ length: 50_000 }, (_, n) => `k${n}: 1\n`).join('')), 'MOT-0102'],
  ])('refuses a file that %s', (_what, bytes, code) => {
    const path = join(folder, 'bad.yaml');
    writeFileSync(path, bytes);
    expect(() => loadConfig({ path, explicit: false })).toThrow(expect.objectContaining({ code }));
  });

  it('a waiver past its day is a finding, never a refusal', () => {
    const text =
      'listeners:\n  - { name: lab, url: "mqtt://127.0.0.1:0", authentication: none, waiver: { reason: bench, until: 2026-01-31 } }\n';
    const settings = parseText(text, 'motte.yaml');
    expect(expiredWaivers(settings, Date.parse('2026-01-31T23:00:00Z'))).toEqual([]);
    expect(expiredWaivers(settings, Date.parse('2026-02-01T00:00:00Z'))).toEqual([
      { subject: 'waiver', why: 'the waiver of listener lab ended on 2026-01-31: bench' },
    ]);
  });

  it('every key of the schema says what it is, what breaks and when it applies', () => {
    const missing: string[] = [];
    const walk = (schema: Schema, path: string): void => {
      if (schema['x-later'] === true) return;
      if (schema.properties !== undefined) {
        for (const [name, one] of Object.entries(schema.properties)) walk(one, `${path}.${name}`);
      } else if (schema.anyOf !== undefined) for (const one of schema.anyOf) walk(one, path);
      else if (schema.const === undefined && schema.minLength === undefined) {
        for (const note of ['description', 'x-breaks', 'x-applies'] as const)
          if (!schema[note]) missing.push(`${path} ${note}`);
      }
      if (schema.items?.properties !== undefined) walk(schema.items, `${path}[]`);
    };
    walk(SCHEMA, '');
    expect(missing).toEqual([]);
  });
});
