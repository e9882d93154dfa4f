// What a device says to the enrolment listener: first it asks for the CA and compares its fingerprint, and only then, over a
// connection that is verified against that CA, it sends anything.

import { createHash, X509Certificate } from 'node:crypto';
import { type RequestOptions, request } from 'node:https';
import { MotteError } from '@motte/admin/errors';
import { groupFingerprint } from '@motte/pki/protocol';

export interface Answer {
  readonly status: number;
  readonly body: string;
}

/** The root certificate, PEM, if it is the one with this SHA-256 (lower-case hex). MOT-0642, MOT-0643. */
export async function fetchCa(url: string, fingerprint: string): Promise<string> {
  // Not verified, and nothing is sent: what comes is compared with the fingerprint.
  const { status, body } = await exchange(url, '/ca', undefined, { rejectUnauthorized: false });
  let found = '';
  try {
    found = status === 200 ? fingerprintOf(body) : '';
  } catch {
    // Not a certificate.
  }
  if (found === '') throw new MotteError('MOT-0643', `${url} does not answer like a Motte broker`);
  if (found !== fingerprint) {
    const [there, meant] = [found, fingerprint].map(groupFingerprint);
    throw new MotteError('MOT-0643', `the CA at ${url} is ${there}, and ${meant} was meant`);
  }
  return new X509Certificate(body).toString();
}

/** Every root that the broker trusts, PEM, in the word of a server that the CA vouches for. MOT-0642, MOT-0643. */
export async function fetchRoots(url: string, ca: string): Promise<string[]> {
  const { status, body } = await exchange(url, '/roots', undefined, { ca });
  return status === 200 ? splitPem(body) : [];
}

/** The certificates in a PEM text. */
export function splitPem(text: string): string[] {
  return text.match(PEM) ?? [];
}

export interface Credentials {
  readonly ca: string;
  readonly cert?: string;
  readonly key?: string;
}

/** Sends a document to a server that the CA vouches for under this URL's name. MOT-0642, MOT-0643. */
export function post(url: string, path: string, document: object, { ca, cert, key }: Credentials): Promise<Answer> {
  const own = cert === undefined || key === undefined ? {} : { cert, key };
  return exchange(url, path, JSON.stringify(document), { ca, ...own });
}

/** SHA-256 of the certificate's DER, lower-case hex. */
export function fingerprintOf(pem: string): string {
  return createHash('sha256').update(new X509Certificate(pem).raw).digest('hex');
}

function exchange(url: string, path: string, body: string | undefined, tls: RequestOptions): Promise<Answer> {
  const headers = body === undefined ? {} : { 'content-type': 'application/json' };
  const method = body === undefined ? 'GET' : 'POST';
  return new Promise((resolve, reject) => {
    const fail = (fault: NodeJS.ErrnoException) => reject(faultOf(url, fault));
    const options: RequestOptions = { ...tls, method, headers, agent: false, minVersion: 'TLSv1.2' };
    const outgoing = request(new URL(path, url), options, (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > ANSWER_BYTES_MAX) outgoing.destroy(new Error('the answer is too long'));
        else chunks.push(chunk);
      });
      response.once('error', fail);
      response.once('end', () => {
        resolve({ status: response.statusCode ?? 0, body: Buffer.concat(chunks).toString() });
      });
    });
    outgoing.setTimeout(SILENCE_MS, () => outgoing.destroy(new Error('no answer in time')));
    outgoing.once('error', fail);
    outgoing.end(body);
  });
}

/** Faults of TLS are the other side's, all others the network's. */
function faultOf(url: string, fault: NodeJS.ErrnoException): MotteError {
  const { code = '', message } = fault;
  const isTrust = /^(ERR_TLS|CERT_|UNABLE_|DEPTH_|SELF_SIGNED|HOSTNAME)/.test(code);
  return new MotteError(isTrust ? 'MOT-0643' : 'MOT-0642', `${url}: ${message}`, { cause: fault });
}

const PEM = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;
const SILENCE_MS = 20_000;
const ANSWER_BYTES_MAX = 64 * 1024;
