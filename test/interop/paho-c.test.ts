// Paho for C as Debian has it: the asynchronous library with TLS, in a small program compiled here.

import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll } from 'vitest';
import { type Counterpart, describeWith, VERSIONS } from './counterparts.ts';
import { startProgramDriver } from './drivers/program-driver.ts';
import { describeFeatures, describeTransport } from './features/index.ts';
import { type RunningMotte, startMotte } from './running-motte.ts';
import { DEVICES } from './stage.ts';

const SOURCE = fileURLToPath(new URL('drivers/paho-c/driver.c', import.meta.url));

describeWith(['libpaho-mqtt-dev', 'gcc', 'libc6-dev'], 'Paho for C', () => {
  let folder = '';
  const counterpart: Counterpart = {
    name: 'Paho for C',
    versions: VERSIONS,
    tellsPublishReason: true,
    tellsDisconnectReason: true,
    resolvesAliases: false,
    start: (onWords) => startProgramDriver(join(folder, 'driver'), [], onWords),
  };
  let motte: RunningMotte;
  beforeAll(async () => {
    folder = mkdtempSync(join(tmpdir(), 'motte-paho-c-'));
    execFileSync('gcc', [
      '-Wall',
      '-Wextra',
      '-O1',
      '-o',
      join(folder, 'driver'),
      SOURCE,
      '-lpaho-mqtt3as',
      '-lpthread',
    ]);
    motte = await startMotte({ devices: DEVICES, ownOrigin: true });
  });
  afterAll(async () => {
    rmSync(folder, { recursive: true, force: true });
    await motte?.stop();
  });
  for (const version of counterpart.versions) {
    describeFeatures({ counterpart, version, motte: () => motte });
    describeTransport({ counterpart, version, transport: 'wss', motte: () => motte });
  }
  describeTransport({ counterpart, version: '3.1.1', transport: 'tcp', motte: () => motte });
});
