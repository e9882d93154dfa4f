// The clients of the matrix, each doing what it is told in its own way until it is connected. The answer ends it.

import { execFileSync, spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Duplex } from 'node:stream';
import { fileURLToPath } from 'node:url';
import type { Packet } from '@motte/wire';
import mqtt from 'mqtt';
import { ScramClient } from '../../../packages/broker/src/testing/scram-client.ts';
import { RawClient } from '../../harness/raw-client.ts';
import { Client } from '../client.ts';
import { type Counterpart, VERSIONS } from '../counterparts.ts';
import { Subscriber } from '../drivers/mosquitto.ts';
import { startProgramDriver } from '../drivers/program-driver.ts';
import type { Task } from './methods.ts';

/** Connects; throws if it is not let in. */
export type Connect = (task: Task) => Promise<() => void>;

/** TLS is OpenSSL's; the packets within are this project's own. */
export const openssl: Connect = async (task) => {
  const { port, ca, pair, psk, login, jwt, scram } = task;
  const proof =
    psk === undefined
      ? ['-CAfile', ca, '-verify_return_error', '-verify', '5']
      : ['-psk_identity', psk.identity, '-psk', psk.key];
  const certificate = pair === undefined ? [] : ['-cert', pair.cert, '-cert_chain', pair.cert, '-key', pair.key];
  const args = ['s_client', '-connect', `127.0.0.1:${port}`, '-quiet', ...proof, ...certificate];
  const child = spawn('openssl', args, { stdio: ['pipe', 'pipe', 'ignore'] });
  const client = new RawClient(Duplex.from({ readable: child.stdout, writable: child.stdin }), 5);
  const answer = scram === undefined ? undefined : new ScramClient(scram);
  /** What the client is sent is there only when it has come through the other program. */
  const sent = async (packet: Packet): Promise<void> => {
    const arrived = once(child.stdout, 'data');
    client.send(packet);
    await arrived;
  };
  await sent({
    type: 'connect',
    version: 5,
    clientId: task.clientId,
    cleanStart: true,
    keepAlive: 60,
    properties: methodOf(jwt, answer),
    ...(login === undefined ? {} : { userName: login.userName, password: Buffer.from(login.password) }),
  });
  if (answer !== undefined) {
    const { properties } = await client.receive('auth');
    const authenticationData = answer.final(properties.authenticationData);
    await sent({
      type: 'auth',
      reasonCode: 0x18,
      properties: { authenticationMethod: answer.method, authenticationData },
    });
  }
  assertCode((await client.receive('connack')).reasonCode);
  return () => void child.kill('SIGKILL');
};

export const mosquitto: Connect = async ({ port, ca, pair, psk, login, jwt, clientId }) => {
  const subscriber = await Subscriber.start([
    ...['-h', '127.0.0.1', '-p', String(port), '-i', clientId, '-V', 'mqttv5', '-t', 'devices/#'],
    ...(psk === undefined ? ['--cafile', ca] : ['--psk-identity', psk.identity, '--psk', psk.key]),
    ...(pair === undefined ? [] : ['--cert', pair.cert, '--key', pair.key]),
    ...(login === undefined ? [] : ['-u', login.userName, '-P', login.password]),
    ...(jwt === undefined
      ? []
      : ['-D', 'connect', 'authentication-method', 'JWT', '-D', 'connect', 'authentication-data', jwt]),
  ]);
  return () => subscriber.kill();
};

export const mqttJs: Connect = async ({ transport, port, ca, pair, psk, login, jwt, scram, clientId }) => {
  const answer = scram === undefined ? undefined : new ScramClient(scram);
  const client = mqtt.connect({
    ...{
      protocol: transport,
      host: '127.0.0.1',
      port,
      path: '/mqtt',
      protocolVersion: 5,
      clientId,
      reconnectPeriod: 0,
    },
    ...(pair === undefined ? {} : { cert: readFileSync(pair.cert), key: readFileSync(pair.key) }),
    ...(login === undefined ? {} : { username: login.userName, password: login.password }),
    ...(psk === undefined ? { ca: readFileSync(ca) } : pskOptions(psk)),
    properties: methodOf(jwt, answer),
  });
  if (answer !== undefined) {
    client.handleAuth = (packet, callback) => {
      const authenticationData = answer.final(packet.properties?.authenticationData);
      const properties = { authenticationMethod: answer.method, authenticationData };
      callback(undefined, { cmd: 'auth', reasonCode: 0x18, properties });
    };
  }
  await new Promise((resolve, reject) => {
    client.once('connect', resolve);
    client.once('error', reject);
    client.once('close', () => reject(new Error('the connection ended')));
  });
  return () => void client.end(true);
};

/** Node takes the key from a call back, as MQTT.js hands its options on. */
function pskOptions({ identity, key }: NonNullable<Task['psk']>): object {
  return { pskCallback: () => ({ identity, psk: Buffer.from(key, 'hex') }), ciphers: PSK_CIPHERS };
}

export const pahoPython: Connect = (task) => {
  const driver = fileURLToPath(new URL('../drivers/paho-driver.py', import.meta.url));
  return byDriver('Paho for Python', task, (onWords) => startProgramDriver('/usr/bin/python3', [driver], onWords));
};

export class PahoC {
  readonly #folder = mkdtempSync(join(tmpdir(), 'motte-proofs-paho-c-'));

  build(): void {
    const source = fileURLToPath(new URL('../drivers/paho-c/driver.c', import.meta.url));
    execFileSync('gcc', ['-O1', '-o', join(this.#folder, 'driver'), source, '-lpaho-mqtt3as', '-lpthread']);
  }

  readonly connect: Connect = (task) =>
    byDriver('Paho for C', task, (onWords) => startProgramDriver(join(this.#folder, 'driver'), [], onWords));

  remove(): void {
    rmSync(this.#folder, { recursive: true, force: true });
  }
}

async function byDriver(name: string, task: Task, start: Counterpart['start']): Promise<() => void> {
  const { transport, port, ca, pair, psk, login, jwt, clientId } = task;
  const counterpart: Counterpart = {
    name,
    versions: VERSIONS,
    tellsPublishReason: false,
    tellsDisconnectReason: false,
    resolvesAliases: false,
    start,
  };
  const client = await Client.connect(counterpart, {
    ...{ transport: transport === 'mqtts' ? 'tls' : 'wss', host: '127.0.0.1', port, path: '/mqtt' },
    ...{ version: '5.0', clientId },
    ...(psk === undefined ? { ca } : { pskIdentity: psk.identity, psk: psk.key }),
    ...pair,
    ...login,
    ...(jwt === undefined ? {} : { authenticationMethod: 'JWT', authenticationData: Buffer.from(jwt).toString('hex') }),
  });
  if (client.connack.how !== 'connected') throw new Error(`not let in: ${JSON.stringify(client.connack)}`);
  return () => client.kill();
}

function methodOf(jwt: string | undefined, scram: ScramClient | undefined) {
  if (jwt !== undefined) return { authenticationMethod: 'JWT', authenticationData: Buffer.from(jwt) };
  return scram === undefined ? {} : { authenticationMethod: scram.method, authenticationData: scram.first };
}

function assertCode(code: number): void {
  if (code !== 0) throw new Error(`CONNACK 0x${code.toString(16)}`);
}

const PSK_CIPHERS = 'ECDHE-PSK-CHACHA20-POLY1305';
