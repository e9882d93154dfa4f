// MQTT.js from npm, the current one and an old one, in Node.

import { readFileSync } from 'node:fs';
import { connect } from 'mqtt';
import { connect as connect4 } from 'mqtt4';
import { afterAll, beforeAll } from 'vitest';
import { type Counterpart, VERSIONS } from './counterparts.ts';
import { createMqttJsDriver, type MqttJsClient } from './drivers/mqttjs-driver.ts';
import { describeFeatures, describeTransport } from './features/index.ts';
import { type RunningMotte, startMotte } from './running-motte.ts';
import { DEVICES } from './stage.ts';

let motte: RunningMotte;
beforeAll(async () => {
  motte = await startMotte({ devices: DEVICES });
});
afterAll(() => motte?.stop());

function mqttJs(name: string, open: (options: never) => unknown): Counterpart {
  return {
    name,
    versions: VERSIONS,
    tellsPublishReason: true,
    tellsDisconnectReason: true,
    resolvesAliases: true,
    start: async (onWords) => {
      const opened = (options: object) => open(options as never) as MqttJsClient;
      const driver = createMqttJsDriver(opened, onWords, (path) => readFileSync(path), Buffer.from);
      return { ...driver, complaints: () => '' };
    },
  };
}

for (const counterpart of [mqttJs('MQTT.js 5', connect), mqttJs('MQTT.js 4', connect4)]) {
  for (const version of counterpart.versions) {
    describeFeatures({ counterpart, version, motte: () => motte });
    describeTransport({ counterpart, version, transport: 'wss', motte: () => motte });
  }
  describeTransport({ counterpart, version: '3.1.1', transport: 'ws', motte: () => motte });
}
