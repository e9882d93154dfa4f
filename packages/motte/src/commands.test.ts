// The built program by its exit codes and lines, without a broker.

import { mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { CATALOGUE } from './catalogue.ts';
import { describeCommands } from './describe-commands.ts';
import { motte } from './testing/program.ts';

const data = mkdtempSync(join(tmpdir(), 'motte-cli-'));
beforeAll(() => mkdirSync(join(data, 'empty')));
afterAll(() => rmSync(data, { recursive: true, force: true }));

describe('usage', () => {
  it.each([
    [['nonsense'], 'unknown command'],
    [['statsu'], 'Did you mean status?'],
    [['status', '--bogus'], "unknown option '--bogus'"],
    [['device', 'add'], "missing required argument 'name'"],
    [['device'], 'a command is missing'],
    [['pub', 't', '--qos', '3'], 'Allowed choices are 0, 1, 2'],
    [['why', '--max', 'many'], '--max takes 1 to 1000'],
    [['device', 'add', 'x', '--token', 'soon'], '--token takes a time such as 10m'],
    [['device', 'add', 'x', '--token', '99d'], '--token takes 1m to 30d'],
    [['device', 'add', 'x', '--token', '30s'], '--token takes 1m to 30d'],
    [['device', 'join', '--for', '48h'], '--for takes 1s to 1d'],
    [['policy', 'learn', 'x', '--for', '8d'], '--for takes 1s to 7d'],
    [['device', 'add', 'x', '--token', '--csr', 'x'], '--csr is not for a token'],
    [['token', 'add', 'x', '--audience', 'a'], 'say where its keys are: --jwks'],
    [['token', 'add', 'x', '--jwks', 'a'], 'say whom its tokens are for: --audience'],
    [['token', 'add', 'x', '--audience', 'a', '--jwks', 'a', '--clock-skew', '2h'], '--clock-skew takes seconds'],
    [['token', 'revoke', 'x'], 'say what: --id'],
    [['token', 'revoke', 'x', '--id', 'a', '--name', 'b'], 'only one of --id, --name, --token-file, --all'],
    [['token', 'revoke', 'x', '--name', 'a/b'], '--name takes a name'],
    [['token', 'revoke', 'x', '--id', ''], '--id takes 1 to 256 characters'],
    [['token', 'revoke', 'x', '--all', '--lift'], '--lift goes with --id, --name or --token-file'],
    [['enrol'], 'the address is missing'],
    [['enrol', 'http://broker:8446', 'x'], 'must be https://ADDRESS:PORT'],
    [['enrol', 'https://broker:8446'], 'without one --name and --ca have to be given'],
    [['enrol', 'https://broker:8446', '--name', 'x', '--ca', '12'], '--ca takes a SHA-256'],
    [['device', 'add', 'x', '--bundle', 'nonsense'], 'there is mosquitto, python, arduino, nodered, nodejs'],
    [['device', 'add', 'x', '--bundle', 'arduino', '--key-type', 'rsa'], 'made for keys on P-256'],
    [['device', 'add', 'x', '--bundle', 'python', '--url', 'https://x'], 'must start with mqtts'],
  ])('%j is wrong: exit 2 and one line', async (args, part) => {
    const { exit, err } = await motte(args);
    expect(exit).toBe(2);
    expect(err).toContain(part);
    expect(err).toMatch(/\(MOT-0002\)\n {2}see/);
    expect(err).not.toMatch(/\n\s+at /);
  });

  it.each([
    [['vpn', 'init']],
    [['token', 'add', 'ci', '--admin']],
    [['pub', 't', 'm', '--seal']],
    [['sub', 't', '--seal']],
  ])('%j is promised but not there: MOT-0003', async (args) => {
    expect(await motte(args)).toMatchObject({ exit: 2, err: expect.stringContaining('(MOT-0003)') });
  });

  it('--help is no error and names every visible command', async () => {
    const { exit, out } = await motte(['--help']);
    expect(exit).toBe(0);
    for (const name of ['start', 'status', 'device', 'who', 'why', 'pub', 'sub', 'config', 'errors', 'demo']) {
      expect(out).toMatch(new RegExp(`^ {2}${name} `, 'm'));
    }
    expect(out).not.toContain('authority');
  });
});

describe('pub', () => {
  it.each([
    ['devices/#', 'the topic name holds a wildcard'],
    ['', 'the topic name is empty'],
  ])('to %j is wrong usage before anybody is connected to', async (topic, why) => {
    expect(await motte(['pub', topic, 'x'])).toMatchObject({
      exit: 2,
      err: `motte: wrong usage: "${topic}": ${why} (MOT-0002)\n  publish to one topic, such as devices/pump-1/up/temperature; + and # are for \`motte sub\`\n`,
    });
  });

  it('where nothing listens says how that is mended', async () => {
    expect(await motte(['pub', 'a', 'x', '--url', 'mqtt://127.0.0.1:1'])).toMatchObject({
      exit: 3,
      err: expect.stringMatching(/: nothing listens there \(MOT-0702\)\n {2}start the broker with `motte start`, or /),
    });
  });
});

describe('policy export', () => {
  it('overwrites nothing, and says to name another file', async () => {
    const file = join(data, 'exported.yaml');
    const command = ['policy', 'export', file, '--data', join(data, 'empty')];
    expect(await motte(command)).toMatchObject({ exit: 0 });
    expect(await motte(command)).toMatchObject({
      exit: 1,
      err: expect.stringMatching(/ is there already \(MOT-0604\)\n {2}name another file, or move this one away\n$/),
    });
  });
});

describe('the reference', () => {
  it('names no default where there is none', async () => {
    const options = (await describeCommands()).flatMap((one) => one.options.map(([, text]) => text));
    expect(options.filter((text) => text.includes('undefined'))).toEqual([]);
    expect(options).toContain('MQTT version (3.1, 3.1.1, 5.0; default 5.0)');
  });
});

describe('status', () => {
  it('not running: exit 3, and nothing is made or locked', async () => {
    const empty = join(data, 'empty');
    const { exit, err } = await motte(['--data', empty, 'status']);
    expect(exit).toBe(3);
    expect(err).toMatch(/^motte: the broker is not running: .* \(MOT-0501\)\n {2}start it with `motte start`/);
    expect(readdirSync(empty)).toEqual([]);
    expect(await motte(['status', '--data', join(data, 'nowhere'), '--json'])).toMatchObject({ exit: 3, out: '' });
  });
});

describe('config', () => {
  it('check: a mistake is FILE:LINE:COLUMN, exit 4', async () => {
    const file = join(data, 'wrong.yaml');
    writeFileSync(file, 'log:\n  level: loud\n');
    const { exit, out, err } = await motte(['config', 'check', '--config', file]);
    expect(exit).toBe(4);
    expect(out).toBe('');
    expect(err).toContain(`motte: configuration refused: ${file}:2:10: log.level: must be one of debug, info`);
    const json = await motte(['config', 'check', file, '--json']);
    expect(JSON.parse(json.out)).toMatchObject({
      format: 1,
      ok: false,
      mistakes: [{ line: 2, column: 10, what: 'log.level' }],
    });
  });

  it('check: several mistakes are a line each, before the one that sums up', async () => {
    const file = join(data, 'two.yaml');
    writeFileSync(file, 'log: { level: loud }\nx: 1\n');
    const { exit, err } = await motte(['config', 'check', file]);
    expect(exit).toBe(4);
    expect(err.split('\n').slice(0, 3)).toEqual([
      `${file}:1:15: log.level: must be one of debug, info, warn, error, off`,
      expect.stringContaining(`${file}:2:1: x: unknown key`),
      `motte: configuration refused: 2 mistakes in ${file} (MOT-0102)`,
    ]);
  });

  it('check: no file is right, a named one that is not there is not', async () => {
    expect(await motte(['config', 'check', '--data', join(data, 'empty')])).toMatchObject({ exit: 0 });
    const { exit, err } = await motte(['config', 'check', '--config', join(data, 'none.yaml')]);
    expect(exit).toBe(4);
    expect(err).toContain('there is no such file (MOT-0101)');
  });

  it('show: prints what check accepts again, weaker values marked', async () => {
    const file = join(data, 'weaker.yaml');
    writeFileSync(file, 'log: { level: off }\nlimits: { queueMessagesMax: 5000 }\n');
    const { exit, out } = await motte(['config', 'show', '--config', file]);
    expect(exit).toBe(0);
    expect(out).toMatch(/queueMessagesMax: 5000 # weaker than the default \(1000\): /);
    expect(out).toMatch(/level: off # weaker than the default \(info\): /);
    const again = join(data, 'again.yaml');
    writeFileSync(again, out);
    expect(await motte(['config', 'check', again])).toMatchObject({ exit: 0 });
    const json = JSON.parse((await motte(['config', 'show', '--config', file, '--json'])).out);
    expect(json).toMatchObject({
      format: 1,
      file,
      weaker: [{ key: 'limits.queueMessagesMax', default: 1000 }, { key: 'log.level' }],
    });
  });

  it('schema: is a JSON Schema with every key that the documentation shows', async () => {
    const { exit, out } = await motte(['config', 'schema']);
    expect(exit).toBe(0);
    const schema = JSON.parse(out);
    expect(schema.$schema).toContain('json-schema.org');
    for (const key of [
      'listeners',
      'console',
      'enrol',
      'defaults',
      'tls',
      'limits',
      'admission',
      'identity',
      'store',
      'log',
      'sparkplug',
      'waivers',
    ]) {
      expect(schema.properties).toHaveProperty(key);
    }
  });
});

describe('errors', () => {
  it('lists all numbers and explains each', async () => {
    const { exit, out } = await motte(['errors']);
    expect(exit).toBe(0);
    expect(out.split('\n').filter((line) => line.startsWith('MOT-'))).toHaveLength(CATALOGUE.size);
    const one = await motte(['errors', 'mot-0501', '--json']);
    expect(JSON.parse(one.out)).toMatchObject({ format: 1, error: { code: 'MOT-0501', exit: 3 } });
    expect(await motte(['errors', 'MOT-9999'])).toMatchObject({ exit: 1 });
  });
});

describe('a data directory that cannot be used', () => {
  it('a link, a file, and one that nobody started are each one clear line', async () => {
    const link = join(data, 'link');
    symlinkSync(join(data, 'empty'), link);
    expect(await motte(['start', '--data', link])).toMatchObject({
      exit: 4,
      err: expect.stringContaining('is a symbolic link (MOT-0201)'),
    });
    const file = join(data, 'file');
    writeFileSync(file, '');
    expect(await motte(['start', '--data', file])).toMatchObject({
      exit: 4,
      err: expect.stringContaining('is not a directory (MOT-0201)'),
    });
    const none = await motte(['device', 'add', 'x', '--data', join(data, 'nowhere')], data);
    expect(none).toMatchObject({ exit: 4, err: expect.stringContaining('(MOT-0201)') });
    expect(readdirSync(data)).not.toContain('x');
  });

  it.runIf(process.platform === 'linux')('a place where nothing can be made is refused at once', async () => {
    const place = '/proc/motte/data';
    expect(await motte(['start', '--data', place])).toMatchObject({
      exit: 4,
      err: expect.stringMatching(/cannot be made: .* \(MOT-0201\)/),
    });
  });
});
