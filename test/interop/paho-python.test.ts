// Paho for Python as Debian has it, by the system's own interpreter.

import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll } from 'vitest';
import { type Counterpart, describeWith, VERSIONS } from './counterparts.ts';
import { startProgramDriver } from './drivers/program-driver.ts';
import { describeFeatures, describeTransport } from './features/index.ts';
import { type RunningMotte, startMotte } from './running-motte.ts';
import { DEVICES } from './stage.ts';

const DRIVER = fileURLToPath(new URL('drivers/paho-driver.py', import.meta.url));

const counterpart: Counterpart = {
  name: 'Paho for Python',
  versions: VERSIONS,
  // Its on_publish has no reason code before Paho 2.
  tellsPublishReason: false,
  // It looks for one only where properties follow.
  tellsDisconnectReason: false,
  resolvesAliases: false,
  start: (onWords) => startProgramDriver('/usr/bin/python3', ['-u', DRIVER], onWords),
};

describeWith(['python3-paho-mqtt'], 'Paho for Python', () => {
  let motte: RunningMotte;
  beforeAll(async () => {
    motte = await startMotte({ devices: DEVICES, ownOrigin: true });
  });
  afterAll(() => motte?.stop());
  for (const version of counterpart.versions) {
    describeFeatures({ counterpart, version, motte: () => motte });
    describeTransport({ counterpart, version, transport: 'wss', motte: () => motte });
  }
  describeTransport({ counterpart, version: '3.1.1', transport: 'tcp', motte: () => motte });
});
