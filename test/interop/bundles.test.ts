// What `motte device add NAME --bundle KIND` writes and prints, run as it is printed, on a broker where nothing was
// prepared for it. A board cannot be had here: its sketch is compiled and run with declarations of the two libraries it
// uses, and MQTT.js then connects by exactly what the sketch gave them. Node-RED is too large to install for this: its
// two nodes are read as Node-RED reads them (core/network/05-tls.js and 10-mqtt.js), and MQTT.js, which it uses as well,
// does the rest.

import { execFileSync, spawn } from 'node:child_process';
import { readdirSync, readFileSync, statSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import mqtt from 'mqtt';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { describeWith } from './counterparts.ts';
import { type RunningMotte, startMotte } from './running-motte.ts';

let motte: RunningMotte;
beforeAll(async () => {
  motte = await startMotte();
  await motte.enrol('panel', ['operator']);
});
afterAll(() => motte?.stop());

/** Debian's package is for the system's own Python, and not for another one that stands before it on the path. */
const DEBIAN_PATH = '/usr/bin:';

interface Bundled {
  readonly out: string;
  readonly snippet: readonly string[];
  readonly files: readonly string[];
  readonly limits: readonly string[];
}

/** Adds a device with the bundle, in a directory that a shell would trip over. */
async function add(name: string, kind: string, ...more: string[]): Promise<Bundled> {
  const out = join(motte.folder, `it's ${kind}`, name);
  const { exit, out: said, err } = await motte.command('device', 'add', name, '--out', out, '--bundle', kind, ...more);
  if (exit !== 0) throw new Error(`device add ${name} ended with ${exit}: ${err}`);
  const lines = said.split('\n');
  const begin = lines.indexOf('to try it:');
  return {
    out,
    snippet: begin === -1 ? [] : lines.slice(begin + 1).filter((line) => line.startsWith('  ')),
    files: readdirSync(out).sort(),
    limits: lines.filter((line) => line.startsWith('limit: ')),
  };
}

/** Runs the snippet in a shell until it has said all of `expected`; meanwhile whoever may sends a command down. */
async function runSnippet(snippet: readonly string[], name: string, path = ''): Promise<string[]> {
  const panel = await asPanel();
  const temperature = new Promise<string>((resolve) => {
    panel.once('message', (_topic, payload) => resolve(payload.toString()));
  });
  await panel.subscribeAsync(`devices/${name}/up/#`, { qos: 1 });
  const child = spawn('sh', ['-c', snippet.join('\n')], {
    detached: true,
    stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, PATH: `${path}${process.env['PATH']}` },
  });
  let complaints = '';
  child.stderr.on('data', (chunk: Buffer) => (complaints += chunk.toString()));
  const said: string[] = [];
  let deadline: NodeJS.Timeout | undefined;
  try {
    await new Promise<void>((resolve, reject) => {
      deadline = setTimeout(() => {
        const log = motte.log().slice(-20);
        reject(new Error(`no command came: ${said.join('\n')}${complaints}\n${JSON.stringify(log, undefined, 1)}`));
      }, DEADLINE_MS);
      createInterface({ input: child.stdout }).on('line', (line) => {
        said.push(line);
        if (line.includes('open')) resolve();
      });
      child.once('close', (exit) => reject(new Error(`it ended with ${exit}: ${said.join('\n')}${complaints}`)));
      temperature.then(() => sendDown(panel, name)).catch(reject);
    });
    return [await temperature, ...said];
  } finally {
    clearTimeout(deadline);
    // The shell and what it started.
    if (child.pid !== undefined && child.exitCode === null) process.kill(-child.pid, 'SIGKILL');
    await panel.endAsync();
  }
}

/** Below that of a test, so that what a snippet started ends with it, and the log says why. */
const DEADLINE_MS = 45_000;

/** Its role only reads, so the command comes from the lab; retained, since the device may subscribe after it. */
async function sendDown(panel: mqtt.MqttClient, name: string): Promise<void> {
  const lab = await mqtt.connectAsync(`mqtt://127.0.0.1:${motte.port('lab')}`, { clientId: `lab/${name}` });
  await lab.publishAsync(`devices/${name}/down/valve`, 'open', { qos: 1, retain: true });
  await lab.endAsync();
  expect(panel.connected).toBe(true);
}

function asPanel(): Promise<mqtt.MqttClient> {
  const { ca, cert, key } = motte.device('panel');
  return mqtt.connectAsync({
    ...{ protocol: 'mqtts', host: 'localhost', port: motte.port('devices'), clientId: 'panel', protocolVersion: 5 },
    ...{ ca: readFileSync(ca), cert: readFileSync(cert), key: readFileSync(key) },
  });
}

/** Connects as the options say, publishes, hears a command; throws if it is not let in. */
async function tryOptions(name: string, options: mqtt.IClientOptions, topics: { up: string; down: string }) {
  const client = await mqtt.connectAsync({ ...options, reconnectPeriod: 0, connectTimeout: 15_000 });
  const command = new Promise<string>((resolve) => client.once('message', (topic) => resolve(topic)));
  await client.subscribeAsync(topics.down, { qos: 1 });
  await client.publishAsync(topics.up, '21.5', { qos: 1 });
  const panel = await asPanel();
  await sendDown(panel, name);
  await panel.endAsync();
  expect(await command).toBe(`devices/${name}/down/valve`);
  await client.endAsync();
}

describeWith(['mosquitto-clients'], 'the bundle mosquitto', () => {
  it('publishes and subscribes by the lines that are printed', async () => {
    const { snippet, files, out } = await add('valve', 'mosquitto');
    expect(files).toEqual(['ca.crt', 'mosquitto.txt', 'valve.crt', 'valve.key']);
    expect(readFileSync(join(out, 'mosquitto.txt'), 'utf8')).toContain('The client id must be valve or valve/anything');
    expect(await runSnippet(snippet, 'valve')).toEqual(['21.5', 'open']);
  });
});

describeWith(['python3-paho-mqtt'], 'the bundle python', () => {
  it('runs as printed', async () => {
    const { snippet, files, out } = await add('boiler', 'python');
    expect(files).toEqual(['boiler.crt', 'boiler.key', 'ca.crt', 'client.py']);
    expect(readFileSync(join(out, 'client.py'), 'utf8')).toContain('The client id must be boiler or boiler/anything');
    expect(await runSnippet(snippet, 'boiler', DEBIAN_PATH)).toEqual([
      '21.5',
      'connected as boiler',
      'devices/boiler/down/valve open',
    ]);
  });
});

describe('the bundle nodejs', () => {
  it('runs as printed', async () => {
    const { snippet, files, out } = await add('lamp', 'nodejs');
    expect(files).toEqual(['ca.crt', 'client.mjs', 'lamp.crt', 'lamp.key']);
    expect(readFileSync(join(out, 'client.mjs'), 'utf8')).toContain('The client id must be lamp or lamp/anything');
    symlinkSync(fileURLToPath(new URL('../../node_modules', import.meta.url)), join(out, 'node_modules'));
    expect(await runSnippet(snippet, 'lamp')).toEqual(['21.5', 'connected as lamp', 'devices/lamp/down/valve open']);
  });
});

interface Node {
  readonly id: string;
  readonly type: string;
  readonly [field: string]: unknown;
}

describe('the bundle nodered', () => {
  it('is a flow whose nodes of broker and TLS connect, as Node-RED reads them', async () => {
    const { files, out, snippet } = await add('mixer', 'nodered');
    expect(files).toEqual(['ca.crt', 'mixer.crt', 'mixer.key', 'nodered.json']);
    expect(snippet.at(-1)?.trim()).toBe('node-red --userDir . ./nodered.json');
    const text = readFileSync(join(out, 'nodered.json'), 'utf8');
    expect(text).not.toContain('PRIVATE KEY');
    const flow = JSON.parse(text) as Node[];
    const only = (type: string): Node => {
      const found = flow.filter((node) => node.type === type);
      expect(found, type).toHaveLength(1);
      return found[0] as Node;
    };
    const [tab, broker, tls, into, from] = ['tab', 'mqtt-broker', 'tls-config', 'mqtt out', 'mqtt in'].map(only) as [
      Node,
      Node,
      Node,
      Node,
      Node,
    ];
    expect(tab['info']).toContain('The client id must be mixer or mixer/anything');
    expect(new Set(flow.map(({ id }) => id)).size).toBe(flow.length);
    expect(broker['tls']).toBe(tls.id);
    for (const node of flow) {
      for (const wired of ((node['wires'] ?? []) as string[][]).flat())
        expect(flow.map(({ id }) => id)).toContain(wired);
      if ('z' in node) expect(node['z']).toBe(tab.id);
      if (node.type.startsWith('mqtt ')) expect(node['broker']).toBe(broker.id);
    }
    const read = (field: string): Buffer => readFileSync(String(tls[field]).trim());
    const scheme = broker['usetls'] === true ? 'mqtts' : 'mqtt';
    await tryOptions(
      'mixer',
      {
        ...{ protocol: scheme, host: String(broker['broker']), port: Number(broker['port']) },
        clientId: String(broker['clientid']),
        protocolVersion: Number(broker['protocolVersion']) as 5,
        clean: broker['cleansession'] === true,
        keepalive: Number(broker['keepalive']),
        ...{ ca: read('ca'), cert: read('cert'), key: read('key') },
        rejectUnauthorized: tls['verifyservercert'] === true,
      },
      { up: String(into['topic']), down: String(from['topic']) },
    );
  });
});

describeWith(['g++'], 'the bundle arduino', () => {
  it('is a sketch that compiles, and what it gives its libraries connects', async () => {
    const { files, out, limits } = await add('gate-1', 'arduino');
    expect(files).toEqual(['ca.crt', 'gate-1.crt', 'gate-1.ino', 'gate-1.key', 'motte-device.h']);
    expect(limits.length).toBeGreaterThan(3);
    const header = join(out, 'motte-device.h');
    expect(statSync(header).mode & 0o777).toBe(0o600);
    expect(readFileSync(header, 'utf8')).toContain('The client id must be gate-1 or gate-1/anything');
    const declarations = fileURLToPath(new URL('drivers/arduino', import.meta.url));
    const program = join(motte.folder, 'sketch');
    execFileSync('g++', [
      ...['-std=c++17', '-Wall', '-Wextra', '-Werror', `-I${declarations}`, `-I${out}`, '-DSKETCH="gate-1.ino"'],
      ...['-o', program, join(declarations, 'main.cpp')],
    ]);
    const said = execFileSync(program).toString().trimEnd().split('\n');
    // Without a network it waits, and it tries again.
    expect(said).toContain('not connected: -2');
    expect(said.at(-1)).toBe('down on');
    const told = new Map(said.map((line) => line.split('=') as [string, string | undefined]));
    const get = (name: string): string => Buffer.from(told.get(name) ?? '', 'hex').toString();
    expect(get('payload')).toBe('21.5');
    await tryOptions(
      'gate-1',
      {
        ...{ protocol: 'mqtts', host: get('host'), port: Number(get('port')), clientId: get('id'), protocolVersion: 4 },
        ...{ ca: get('ca'), cert: get('cert'), key: get('key'), minVersion: 'TLSv1.2', maxVersion: 'TLSv1.2' },
      },
      { up: get('topic'), down: get('filter') },
    );
  });

  it.each([
    [['--key-type', 'rsa'], 'made for keys on P-256, not for --key-type rsa'],
    [['--csr', 'request.pem'], 'it compiles the key into the sketch'],
  ])('is refused with %j, and nothing is made', async (more, why) => {
    const out = join(motte.folder, 'nothing');
    const command = ['device', 'add', 'gate-2', '--out', out, '--bundle', 'arduino', ...more];
    const { exit, err } = await motte.command(...command);
    expect(exit).toBe(2);
    expect(err).toContain(why);
    expect(readdirSync(motte.folder)).not.toContain('nothing');
    expect((await motte.command('device', 'show', 'gate-2')).exit).toBe(1);
  });
});

describe('a bundle', () => {
  it('for a device without the role that its topics need says so', async () => {
    expect((await add('dial', 'nodejs', '--role', 'operator')).limits.at(-1)).toBe(
      'limit: it publishes to devices/dial/up/temperature and reads devices/dial/down/#, as the role device allows; this one lacks it',
    );
    expect((await add('dial-2', 'nodejs')).limits.join()).not.toContain('as the role device allows');
  });
});

describe('the address in a bundle', () => {
  it('is the one of --url, which must be one for devices', async () => {
    const { out } = await add('fan', 'mosquitto', '--url', 'mqtts://broker.plant.example');
    expect(readFileSync(join(out, 'mosquitto.txt'), 'utf8')).toContain('-h broker.plant.example -p 8883 ');
    for (const [url, why] of [
      ['wss://broker.plant.example', 'must be mqtts://HOST:PORT'],
      ['mqtts://$(id)', 'needs an address or a host name'],
    ] as const) {
      const refused = await motte.command('device', 'add', 'fan-2', '--bundle', 'nodejs', '--url', url);
      expect(refused).toMatchObject({ exit: 2, err: expect.stringContaining(why) });
    }
    const alone = await motte.command('device', 'add', 'fan-2', '--url', 'mqtts://broker.plant.example');
    expect(alone).toMatchObject({ exit: 2, err: expect.stringContaining('--url goes with --token or --bundle') });
  });

  it('stands in the JSON with the lines to try and the limits', async () => {
    const out = join(motte.folder, 'fan-3');
    const { out: said } = await motte.command('device', 'add', 'fan-3', '--out', out, '--bundle', 'python', '--json');
    expect(JSON.parse(said)).toMatchObject({
      format: 1,
      device: { name: 'fan-3' },
      bundle: { kind: 'python', snippet: [`cd '${out}'`, 'python3 client.py'], limits: expect.any(Array) },
    });
  });
});
