// What runs in the page: MQTT.js as the page loaded it, moved by the same driver as in Node, for as many clients as the
// test has. `tell` is the way back.

import type { Words } from '../../line-coding.ts';
import { createMqttJsDriver, type MqttJsClient, type MqttJsDriver } from '../mqttjs-driver.ts';

export interface PageGlobals {
  /** The browser bundle of MQTT.js. */
  readonly mqtt: { readonly connect: (options: object) => MqttJsClient };
  readonly tell: (client: number, words: Words) => void;
  send(client: number, words: Words): void;
  kill(client: number): void;
}

const page = globalThis as unknown as PageGlobals;
const drivers = new Map<number, MqttJsDriver>();
// A page has no files; the certificate is the browser's affair.
const noPem = (): undefined => undefined;

page.send = (client, words) => {
  const start = () =>
    createMqttJsDriver(
      page.mqtt.connect,
      (answer) => page.tell(client, answer),
      noPem,
      (bytes) => bytes,
    );
  const driver = drivers.get(client) ?? start();
  drivers.set(client, driver);
  driver.send(words);
};
page.kill = (client) => drivers.get(client)?.kill();
