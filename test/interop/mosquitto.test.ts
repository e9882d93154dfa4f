// Mosquitto's own clients as Debian has them: mosquitto_pub, mosquitto_sub and mosquitto_rr. They do not speak WebSocket.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { afterAll, afterEach, beforeAll, describe, expect, it } from 'vitest';
import { createTestAuthority } from '../fixtures/certificates.ts';
import { describeWith, VERSIONS } from './counterparts.ts';
import { run, Subscriber } from './drivers/mosquitto.ts';
import { MosquittoStage } from './drivers/mosquitto-stage.ts';
import { mosquittoMessages } from './features/mosquitto-messages.ts';
import { type ForeignFiles, mosquittoRefusals } from './features/mosquitto-refusals.ts';
import { mosquittoProperties, mosquittoRequests } from './features/mosquitto-requests.ts';
import { type RunningMotte, startMotte } from './running-motte.ts';
import { DEVICES } from './stage.ts';

describeWith(['mosquitto-clients', 'openssl'], "Mosquitto's clients", () => {
  let motte: RunningMotte;
  let foreign: ForeignFiles;
  beforeAll(async () => {
    motte = await startMotte({ devices: DEVICES });
    foreign = writeForeign(motte.folder);
  });
  afterAll(() => motte?.stop());

  for (const version of VERSIONS) {
    describe(`MQTT ${version}`, () => {
      const stage = new MosquittoStage(version, () => motte);
      afterEach(() => stage.end());
      mosquittoMessages(stage, () => motte.folder);
      mosquittoRefusals(stage, () => foreign);
      if (version !== '3.1') mosquittoRequests(stage);
      if (version === '5.0') mosquittoProperties(stage);

      it('meets over a Unix socket, where nobody is asked for a proof', async () => {
        const args = [...stage.versionOption(), '--unix', motte.socketPath, '-q', '2', '-t', 'bench/1'];
        const subscriber = await Subscriber.start([...args, '-i', stage.name()]);
        expect(await run('mosquitto_pub', [...args, '-m', 'local'])).toMatchObject({ exit: 0, err: '' });
        expect(await subscriber.next()).toMatchObject({ topic: 'bench/1', payload: 'local', qos: 2 });
        subscriber.kill();
      });
    });
  }

  it.each(['tlsv1.2', 'tlsv1.3'])('meets over %s and by the name localhost', async (tls) => {
    const stage = new MosquittoStage('5.0', () => motte);
    const topic = stage.topicOf('pump');
    const args = ['--tls-version', tls, '-q', '1', '-h', 'localhost'];
    expect(await stage.publish('pump', topic, ...args, '-m', 'sent')).toMatchObject({ exit: 0, err: '' });
  });
});

function writeForeign(folder: string): ForeignFiles {
  const authority = createTestAuthority('Somebody else');
  const { cert, key } = authority.issue('pump');
  const files = {
    ca: join(folder, 'foreign-ca.crt'),
    cert: join(folder, 'foreign.crt'),
    key: join(folder, 'foreign.key'),
  };
  writeFileSync(files.ca, authority.ca);
  writeFileSync(files.cert, cert);
  writeFileSync(files.key, key, { mode: 0o600 });
  return files;
}
