// What others make of our certificates: openssl, and TLS between a server and a device of ours.

import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { connect, createServer, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { startAuthority } from './authority/start.ts';
import { createKeyAndCsr } from './keys.ts';
import { deviceNameOf } from './protocol/names.ts';
import { obtainServerCertificate } from './server-certificate.ts';
import { mergeNames } from './server-names.ts';
import { withDataDirectory } from './testing/data-directory.ts';
import { openssl } from './testing/openssl.ts';

interface Leaf {
  readonly key: string;
  /** Leaf and issuing CA. */
  readonly cert: string;
}

interface World {
  readonly directory: string;
  readonly ca: string;
  readonly server: Leaf;
  readonly devices: Readonly<Record<'ec' | 'rsa', Leaf>>;
}

let world: World;
let leave: () => void;
let left: Promise<void>;

beforeAll(async () => {
  await new Promise<void>((ready, failed) => {
    left = withDataDirectory(async (directory) => {
      world = await makeWorld(directory);
      ready();
      await new Promise<void>((resolve) => {
        leave = resolve;
      });
    });
    left.catch(failed);
  });
});

afterAll(async () => {
  leave();
  await left;
});

async function makeWorld(directory: string): Promise<World> {
  const authority = await startAuthority({ data: directory });
  const device = async (type: 'ec' | 'rsa'): Promise<Leaf> => {
    const { key, csr } = await createKeyAndCsr('x', { type });
    const issued = await authority.administrator.issueDevice({ name: `pump-${type}`, csr });
    await writeFile(join(directory, `${type}.crt`), issued.certificate);
    return { key, cert: issued.certificate + issued.issuing };
  };
  const devices = { ec: await device('ec'), rsa: await device('rsa') };
  const names = mergeNames(['plant.example'], ['10.0.0.1']);
  const tls = join(directory, 'tls');
  const server = await obtainServerCertificate({
    directory: tls,
    authority: authority.broker,
    names,
    nowMs: Date.now(),
  });
  const { root, issuing } = await authority.broker.trust();
  await authority.close();
  await writeFile(join(directory, 'ca.crt'), root);
  await writeFile(join(directory, 'issuing.crt'), issuing);
  await writeFile(join(directory, 'server.crt'), server.cert);
  return { directory, ca: root, server, devices };
}

describe('openssl', () => {
  const verify = (leaf: string, ...argv: string[]) => {
    const at = (name: string) => join(world.directory, name);
    const chain = ['-x509_strict', '-CAfile', at('ca.crt'), '-untrusted', at('issuing.crt')];
    return openssl('verify', ...chain, ...argv, at(leaf));
  };

  it.each([
    ['ec.crt', 'sslclient'],
    ['rsa.crt', 'sslclient'],
    ['server.crt', 'sslserver'],
  ])('verifies %s as %s', async (leaf, purpose) => {
    expect(await verify(leaf, '-purpose', purpose)).toMatchObject({ code: 0, text: expect.stringContaining('OK') });
  });

  it.each([
    ['ec.crt', 'sslserver'],
    ['rsa.crt', 'sslserver'],
    ['server.crt', 'sslclient'],
    ['ec.crt', 'smimesign'],
    ['server.crt', 'timestampsign'],
  ])('refuses %s as %s', async (leaf, purpose) => {
    const { code, text } = await verify(leaf, '-purpose', purpose);
    expect(code).not.toBe(0);
    expect(text.toLowerCase()).toContain('certificate purpose');
  });

  it.each(['localhost', 'plant.example'])('finds the name %s in the server certificate', async (name) => {
    expect((await verify('server.crt', '-verify_hostname', name)).code).toBe(0);
  });

  it.each(['127.0.0.1', '::1', '10.0.0.1'])('finds the address %s', async (address) => {
    expect((await verify('server.crt', '-verify_ip', address)).code).toBe(0);
  });

  it('finds no other name', async () => {
    expect((await verify('server.crt', '-verify_hostname', 'elsewhere.example')).code).not.toBe(0);
  });

  it('refuses a certificate that a device "issued"', async () => {
    const at = (name: string) => join(world.directory, name);
    await writeFile(at('device.key'), world.devices.ec.key);
    await openssl(
      'req',
      '-new',
      '-newkey',
      'ec',
      '-pkeyopt',
      'ec_paramgen_curve:P-256',
      '-nodes',
      '-subj',
      '/CN=pump-9',
      '-keyout',
      at('x.key'),
      '-out',
      at('x.csr'),
    );
    await openssl(
      'x509',
      '-req',
      '-in',
      at('x.csr'),
      '-CA',
      at('ec.crt'),
      '-CAkey',
      at('device.key'),
      '-set_serial',
      '1',
      '-out',
      at('x.crt'),
    );
    const { code, text } = await verify('x.crt', '-untrusted', at('ec.crt'));
    expect(code).not.toBe(0);
    expect(text).toMatch(/invalid CA certificate|unable to get local issuer/);
  });
});

describe('TLS', () => {
  /** What a server with `server`'s certificate makes of a client with `client`'s. */
  async function handshake(server: Leaf, client: Leaf | undefined, version: 'TLSv1.2' | 'TLSv1.3') {
    const listener = createServer({
      ...server,
      ca: world.ca,
      requestCert: true,
      rejectUnauthorized: true,
      minVersion: version,
      maxVersion: version,
    });
    const seen = new Promise<string | undefined>((resolve, reject) => {
      listener.on('secureConnection', (socket: TLSSocket) => {
        const leaf = socket.getPeerX509Certificate();
        socket.on('error', () => undefined);
        socket.end('hello');
        resolve(leaf === undefined ? undefined : deviceNameOf(leaf));
      });
      listener.on('tlsClientError', reject);
    });
    seen.catch(() => undefined);
    listener.listen(0, '127.0.0.1');
    await once(listener, 'listening');
    const { port } = listener.address() as AddressInfo;
    const socket = connect({ host: '127.0.0.1', port, ca: world.ca, ...client });
    try {
      await new Promise<void>((resolve, reject) => {
        socket.on('error', reject);
        socket.on('data', () => resolve());
        // Over TLS 1.3 a refused client may see a bare end.
        socket.on('close', () => reject(new Error('refused')));
      });
      return await seen;
    } finally {
      socket.destroy();
      listener.close();
    }
  }

  const versions = ['TLSv1.2', 'TLSv1.3'] as const;

  it.each(versions.flatMap((version) => (['ec', 'rsa'] as const).map((type) => ({ version, type }))))(
    'server and $type device prove themselves to each other over $version',
    async ({ version, type }) => {
      expect(await handshake(world.server, world.devices[type], version)).toBe(`pump-${type}`);
    },
  );

  it.each(versions)('a server certificate is no device, and nothing is none, over %s', async (version) => {
    await expect(handshake(world.server, world.server, version)).rejects.toThrow();
    await expect(handshake(world.server, undefined, version)).rejects.toThrow();
  });

  it.each(versions)('a device certificate is no server over %s', async (version) => {
    await expect(handshake(world.devices.ec, world.devices.rsa, version)).rejects.toThrow(/purpose/);
  });
});
