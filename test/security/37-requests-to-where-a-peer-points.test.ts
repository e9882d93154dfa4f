// Requests to where a peer points: addresses in certificates and in answers choose nothing. A server that must never be asked
// stands for a private one; whatever a peer writes, it stays unasked.

import { X509Certificate } from 'node:crypto';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CertificateInUse } from '@motte/broker/ports/trust';
import { afterAll, afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { requestBounded } from '../../packages/motte/src/data/bounded-request.ts';
import { type ForeignCas, readForeignCas } from '../../packages/motte/src/revocation/foreign-cas.ts';
import { ForeignLists } from '../../packages/motte/src/revocation/foreign-lists.ts';
import { ListCache } from '../../packages/motte/src/revocation/list-cache.ts';
import { OcspDesk } from '../../packages/motte/src/revocation/ocsp-desk.ts';
import { createTestAuthority, derOf, type TestAuthority } from '../fixtures/certificates.ts';

const folder = mkdtempSync(join(tmpdir(), 'motte-37-'));
let plant: TestAuthority;
let cas: ForeignCas;
let secret: Server;
let asked: string[];
let front: Server;
let status: number;

const CLOCK = { nowMs: () => Date.now(), monotonicMs: () => performance.now() };

const addressOf = (server: Server): string => `127.0.0.1:${(server.address() as AddressInfo).port}`;

beforeAll(() => {
  plant = createTestAuthority('Plant');
  cas = readForeignCas([{ realm: 'ca:plant', certificates: [plant.root.cert, plant.issuing.cert] }]);
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));
beforeEach(async () => {
  asked = [];
  status = 302;
  secret = createServer((request, response) => {
    asked.push(request.url ?? '');
    response.end('secret');
  }).listen(0, '127.0.0.1');
  front = createServer((_request, response) => {
    response.writeHead(status, {
      location: `http://${addressOf(secret)}/`,
      refresh: `0; url=http://${addressOf(secret)}/`,
    });
    response.end();
  }).listen(0, '127.0.0.1');
  await Promise.all([once(secret, 'listening'), once(front, 'listening')]);
});
afterEach(() => {
  for (const server of [secret, front]) {
    server.closeAllConnections();
    server.close();
  }
});

/** A device whose certificate names that server for everything that a certificate can name one for. */
function pointingAt(address: string): CertificateInUse {
  const uri = `URI:http://${address}`;
  const extensions = [`authorityInfoAccess=OCSP;${uri}/ocsp,caIssuers;${uri}/ca`, `crlDistributionPoints=${uri}/crl`];
  const { cert } = plant.issue('pump-1', { subjectAltName: '', extensions });
  const serial = new X509Certificate(cert).serialNumber;
  return { realm: 'ca:plant', name: 'pump-1', serial, issuer: [...cas.keys()][1] ?? '', der: derOf(cert) };
}

describe('an answer that leads elsewhere', () => {
  it.each([301, 302, 303, 307, 308, 300, 305])('is not followed: %i', async (code) => {
    status = code;
    const limits = { bytesMax: 1_000, deadlineMs: 5_000, headers: {} };
    for (const body of [{}, { body: Buffer.from('x') }]) {
      const asking = requestBounded({ url: `http://${addressOf(front)}/`, ...limits, ...body });
      await expect(asking).rejects.toThrow(`answered ${code}; name the final address, none is followed`);
    }
    expect(asked).toEqual([]);
  });

  it('is not followed for lists and for answers about certificates', async () => {
    const url = `http://${addressOf(front)}/`;
    const parts = { clock: CLOCK, told: () => undefined, onNews: () => undefined };
    const lists = new ForeignLists({ ...parts, cache: new ListCache(join(folder, 'cache')) });
    (await lists.prepare([{ ca: 'plant', url, refreshMinutes: 1 }], cas, true))();
    await lists.look();
    const desk = new OcspDesk({ ...parts, isListed: () => false });
    desk.use({ responders: [{ ca: 'plant', url, refreshMinutes: 1 }], unanswered: 'refuse' }, cas);
    expect(await desk.ask(pointingAt(addressOf(secret)))).toMatchObject({ allow: false });
    expect(lists.findings()).toHaveLength(1);
    expect(asked).toEqual([]);
  });
});

describe('a certificate that points somewhere', () => {
  it('has nobody asked there who is not listed, by whatever of its addresses', async () => {
    const parts = { clock: CLOCK, told: () => undefined, onNews: () => undefined };
    const desk = new OcspDesk({ ...parts, isListed: () => false });
    const device = pointingAt(addressOf(secret));
    const host = addressOf(secret);
    const { port } = new URL(`http://${host}`);
    for (const hosts of [
      ['ocsp.plant.example'],
      ['127.0.0.1'],
      [`127.0.0.1:${Number(port) + 1}`],
      [`localhost:${port}`],
    ]) {
      desk.use({ responders: [{ ca: 'plant', hosts, refreshMinutes: 1 }], unanswered: 'refuse' }, cas);
      expect(await desk.ask(device)).toMatchObject({ because: expect.stringContaining('names no responder') });
    }
    expect(asked).toEqual([]);
    // The control: where it is listed the same certificate does have it asked, there and for nothing else.
    desk.use({ responders: [{ ca: 'plant', hosts: [host], refreshMinutes: 1 }], unanswered: 'refuse' }, cas);
    expect(await desk.ask(device)).toMatchObject({ because: expect.stringContaining('no answer to a question') });
    expect(asked).toEqual(['/ocsp']);
  });
});

it('a server that never ends its answer, or never begins it, is given up', async () => {
  const drip = createServer((request, response) => {
    if (request.url === '/drip') response.write('x');
  }).listen(0, '127.0.0.1');
  await once(drip, 'listening');
  for (const path of ['drip', 'silent']) {
    const url = `http://${addressOf(drip)}/${path}`;
    await expect(requestBounded({ url, bytesMax: 10, deadlineMs: 200, headers: {} })).rejects.toThrow(
      'no answer in 0.2 s',
    );
  }
  drip.closeAllConnections();
  drip.close();
});
