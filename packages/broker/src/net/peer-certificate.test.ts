import { once } from 'node:events';
import type { AddressInfo } from 'node:net';
import { type ConnectionOptions, connect, createServer, type Server, type TLSSocket } from 'node:tls';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createTestAuthority, derOf, type Pair } from '../../../../test/fixtures/certificates.ts';
import { certificateOf, peerCertificate } from './peer-certificate.ts';

const authority = createTestAuthority('Plant');
const ec = authority.issue('pump-1');
const rsa = authority.issue('press-1', { rsaBits: 3072 });
let server: Server;

beforeAll(async () => {
  server = createServer({ ...authority.server(), ca: authority.ca, requestCert: true, rejectUnauthorized: false });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
});
afterAll(() => server.close());

interface Met {
  readonly served: TLSSocket;
  readonly ticket: Promise<Buffer>;
}

/** Connects and gives the server's side, still open, with the client's ticket. */
async function meet(options: ConnectionOptions): Promise<Met> {
  const { port } = server.address() as AddressInfo;
  const client = connect({ host: '127.0.0.1', port, ca: authority.ca, ...options });
  const ticket = once(client, 'session').then(([session]) => session as Buffer);
  const [served] = (await once(server, 'secureConnection')) as [TLSSocket];
  served.on('error', () => undefined).write('x');
  client.resume();
  return { served, ticket };
}

const CASES: readonly (readonly [string, Pair, 'TLSv1.2' | 'TLSv1.3'])[] = [
  ['an EC certificate, TLS 1.3', ec, 'TLSv1.3'],
  ['an EC certificate, TLS 1.2', ec, 'TLSv1.2'],
  ['an RSA certificate, TLS 1.3', rsa, 'TLSv1.3'],
  ['an RSA certificate, TLS 1.2', rsa, 'TLSv1.2'],
];

describe('the certificate of a TLS client', () => {
  it.each(CASES)('is read out of the session as it came: %s, in full and resumed', async (_name, pair, maxVersion) => {
    const first = await meet({ ...pair, maxVersion });
    const again = await meet({ ...pair, maxVersion, session: await first.ticket });
    expect([first, again].map(({ served }) => served.isSessionReused())).toEqual([false, true]);
    for (const { served } of [first, again]) {
      expect(certificateOf(served.getSession() as Buffer)).toEqual(derOf(pair.cert));
      expect(Buffer.from(peerCertificate(served) ?? [])).toEqual(served.getPeerX509Certificate()?.raw);
      served.destroy();
    }
  });

  it('is none if the client showed none', async () => {
    const { served } = await meet({});
    expect(certificateOf(served.getSession() as Buffer)).toBeUndefined();
    expect(peerCertificate(served)).toBeUndefined();
    served.destroy();
  });
});

describe('a session in an encoding that is not ours', () => {
  it('has no certificate, wherever it is cut or bent', async () => {
    const { served } = await meet({ ...ec });
    const session = served.getSession() as Buffer;
    served.destroy();
    const whole = Buffer.from(certificateOf(session) ?? []);
    for (let length = 0; length < session.length; length++) {
      expect(certificateOf(session.subarray(0, length))).toBeUndefined();
    }
    for (let at = 0; at < 90; at++) {
      for (const value of [0x00, 0x30, 0x80, 0x84, 0xff]) {
        const bent = Buffer.from(session);
        bent[at] = value;
        const found = certificateOf(bent);
        if (found !== undefined) expect(found.length).toBeLessThanOrEqual(whole.length + 4);
      }
    }
  });
});
