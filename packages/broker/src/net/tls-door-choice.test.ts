// Several certificates, protocol names and tickets of one listener, tried with real handshakes.

import { once } from 'node:events';
import type { ConnectionOptions, TLSSocket } from 'node:tls';
import { describe, expect, it } from 'vitest';
import { createTestAuthority } from '../../../../test/fixtures/certificates.ts';
import { createPlant } from '../../../../test/fixtures/plant.ts';
import { type TestListener, untilClosed } from '../../../../test/fixtures/test-listener.ts';

const { authority, material, pump, open, connect } = createPlant((plant) => {
  const server = { extendedKeyUsage: 'serverAuth', subjectAltName: 'DNS:gate.example' };
  return [plant.issue('gate', server), { ...plant.issue('rsa', { ...server, rsaBits: 2048 }), names: [] }];
});

const client = (listener: TestListener, options: ConnectionOptions = {}): TLSSocket =>
  connect(listener, { ...pump, ...options });

async function secured(listener: TestListener, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = client(listener, options);
  await once(socket, 'secureConnect');
  return socket;
}

const shownTo = (socket: TLSSocket) => socket.getPeerCertificate().subject.CN;

describe('several server certificates', () => {
  it.each([['TLSv1.2'], ['TLSv1.3']] as const)('each has its client, over %s', async (maxVersion) => {
    const listener = await open();
    expect(shownTo(await secured(listener, { maxVersion }))).toBe('Motte server');
    expect(shownTo(await secured(listener, { maxVersion, servername: 'localhost' }))).toBe('Motte server');
    expect(shownTo(await secured(listener, { maxVersion, servername: 'gate.example' }))).toBe('gate');
    const rsa = { sigalgs: 'rsa_pss_rsae_sha256:RSA+SHA256', checkServerIdentity: () => undefined };
    // A client that says it cannot verify ECDSA cannot sign with it either.
    const pair = authority.issue('pump-2', { rsaBits: 2048 });
    const old = await secured(listener, { maxVersion, ...rsa, ...pair });
    expect(shownTo(old)).toBe('rsa');
    expect((await listener.connection(3)).facts.tls).toMatchObject({ protocol: maxVersion });
  });

  it('choose no trust: whatever name is asked for, a certificate of the same CA is demanded', async () => {
    const listener = await open();
    const foreign = createTestAuthority('Elsewhere').issue('pump-1');
    client(listener, { ...foreign, servername: 'gate.example' });
    expect(await listener.refusal()).toMatchObject({ because: expect.stringContaining('a foreign certificate') });
    connect(listener, { servername: 'gate.example' });
    expect(await listener.refusal(1)).toMatchObject({ because: expect.stringContaining('no certificate') });
  });

  it('that are missing for a client that needs RSA are named in the refusal', async () => {
    const listener = await open({ material: { ...authority.server(), clientCa: authority.ca } });
    client(listener, { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-RSA-AES128-GCM-SHA256' });
    expect(await listener.refusal()).toMatchObject({ rule: 'tls.rsa' });
    client(listener, { maxVersion: 'TLSv1.3', sigalgs: 'rsa_pss_rsae_sha256' });
    expect(await listener.refusal(1)).toMatchObject({ rule: 'tls.rsa' });
  });

  it('that cannot be used change nothing', async () => {
    const listener = await open();
    const [gate] = material.further ?? [];
    const broken = { cert: gate?.cert ?? '', key: material.key };
    expect(() => listener.listener.setTls({ ...material, further: [broken] })).toThrow(
      expect.objectContaining({ code: 'MOT-0404' }),
    );
    expect(shownTo(await secured(listener, { servername: 'gate.example' }))).toBe('gate');
  });
});

describe('protocol names', () => {
  it('are answered, and a client without one is served', async () => {
    const listener = await open({ config: { alpn: 'x-plant' } });
    expect((await secured(listener, { ALPNProtocols: ['mqtt'] })).alpnProtocol).toBe('mqtt');
    expect((await secured(listener, { ALPNProtocols: ['x-plant'] })).alpnProtocol).toBe('x-plant');
    expect((await secured(listener)).alpnProtocol).toBe(false);
  });

  it.each([['TLSv1.2'], ['TLSv1.3']] as const)('that are not spoken end the handshake over %s', async (maxVersion) => {
    const listener = await open();
    const socket = client(listener, { maxVersion, ALPNProtocols: ['h2', 'http/1.1'] });
    await untilClosed(socket);
    expect(await listener.refusal()).toMatchObject({
      rule: 'listeners.alpn',
      because: expect.stringContaining('h2, http/1.1'),
      seen: 'TLS alert 120, no application protocol',
    });
  });
});

describe.each([['TLSv1.2'], ['TLSv1.3']] as const)('a ticket of %s', (maxVersion) => {
  async function ticketOf(listener: TestListener, options: ConnectionOptions): Promise<Buffer> {
    const socket = client(listener, { maxVersion, ...options });
    const [session] = (await once(socket, 'session')) as [Buffer];
    return session;
  }

  it('is good under the name it was given for, and under no other', async () => {
    const listener = await open();
    const session = await ticketOf(listener, { servername: 'gate.example' });
    expect((await secured(listener, { maxVersion, session, servername: 'gate.example' })).isSessionReused()).toBe(true);
    expect((await secured(listener, { maxVersion, session, servername: 'localhost' })).isSessionReused()).toBe(false);
  });

  it('ends with its keys', async () => {
    const listener = await open();
    const session = await ticketOf(listener, {});
    expect((await secured(listener, { maxVersion, session })).isSessionReused()).toBe(true);
    listener.listener.rotateTicketKeys();
    expect((await secured(listener, { maxVersion, session })).isSessionReused()).toBe(false);
    const again = await ticketOf(listener, {});
    listener.listener.setTls({ ...material, ...authority.server() });
    expect((await secured(listener, { maxVersion, session: again })).isSessionReused()).toBe(true);
  });
});
