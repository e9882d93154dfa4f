// Where Mosquitto's clients are tried: the options that a device, a version of MQTT and a way in stand for.

import type { Version } from '../counterparts.ts';
import type { RunningMotte } from '../running-motte.ts';
import type { DEVICES } from '../stage.ts';
import { type Finished, run, Subscriber, VERSION_NAMES } from './mosquitto.ts';

export type Device = (typeof DEVICES)[number];

export class MosquittoStage {
  readonly version: Version;
  readonly #motte: () => RunningMotte;
  readonly #open: Subscriber[] = [];

  constructor(version: Version, motte: () => RunningMotte) {
    this.version = version;
    this.#motte = motte;
  }

  get isV5(): boolean {
    return this.version === '5.0';
  }

  /** A name that no other test uses. */
  name(): string {
    lastName += 1;
    return `m${lastName}`;
  }

  topicOf(device: Device): string {
    return `devices/${device}/up/${this.name()}`;
  }

  publish(device: Device, topic: string, ...args: string[]): Promise<Finished> {
    return run('mosquitto_pub', [...this.as(device), '-t', topic, ...args]);
  }

  /** Line by line from its standard input, over one connection. */
  publishLines(device: Device, topic: string, lines: readonly string[], ...args: string[]): Promise<Finished> {
    return run(
      'mosquitto_pub',
      [...this.as(device), '-t', topic, '-l', ...args],
      lines.map((one) => `${one}\n`).join(''),
    );
  }

  /** mosquitto_sub to its end, by `-C`, `-E` or `-W`. */
  subscribeOnce(device: Device, topic: string, ...args: string[]): Promise<Finished> {
    return run('mosquitto_sub', [...this.as(device), '-t', topic, ...args]);
  }

  /** mosquitto_sub that stays, until `end`. */
  async subscribe(device: Device, topic: string, ...args: string[]): Promise<Subscriber> {
    const subscriber = await Subscriber.start([...this.as(device), '-t', topic, ...args]);
    this.#open.push(subscriber);
    return subscriber;
  }

  request(device: Device, topic: string, responseTopic: string, ...args: string[]): Promise<Finished> {
    return run('mosquitto_rr', [...this.as(device), '-t', topic, '-e', responseTopic, ...args]);
  }

  /** Version, address, certificate and, where `args` has none behind it, a client id of the device. */
  as(device: Device): string[] {
    const { cert, key } = this.#motte().device(device);
    return [...this.anonymous(device), '--cert', cert, '--key', key, '-i', `${device}/${this.name()}`];
  }

  /** The same without certificate and client id; the CA is that which the device was given. */
  anonymous(device: Device): string[] {
    const motte = this.#motte();
    const address = ['-h', '127.0.0.1', '-p', String(motte.port('devices'))];
    return [...this.versionOption(), ...address, '--cafile', motte.device(device).ca];
  }

  versionOption(): string[] {
    return ['-V', VERSION_NAMES[this.version]];
  }

  end(): void {
    for (const subscriber of this.#open.splice(0)) subscriber.kill();
  }
}

let lastName = 0;
