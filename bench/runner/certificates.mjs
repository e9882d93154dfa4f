// A throw-away authority with one server and one client certificate (P-256), made by the openssl program.
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';

/**
 * Paths of PEM files; `client` is what the generator shows.
 * @typedef {{ca: string, serverCert: string, serverKey: string, client: import('../brokers/broker.mjs').ClientTls}} Certificates
 */

const DAYS = '3';
const NEW_KEY = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes'];

/** @param {string[]} parameters */
const openssl = (...parameters) => execFileSync('openssl', parameters, { stdio: ['ignore', 'pipe', 'pipe'] });

/**
 * @param {string} directory
 * @returns {Certificates}
 */
export function makeCertificates(directory) {
  /** @param {string} name */
  const at = (name) => join(directory, name);
  const [ca, caKey, extensions] = [at('ca.crt'), at('ca.key'), at('extensions.cnf')];
  openssl('req', '-x509', ...NEW_KEY, '-keyout', caKey, '-out', ca, '-subj', '/CN=bench authority', '-days', DAYS);
  writeFileSync(extensions, 'subjectAltName = DNS:localhost, IP:127.0.0.1\n');
  for (const name of ['server', 'bench']) {
    const request = at(`${name}.csr`);
    openssl('req', '-new', ...NEW_KEY, '-keyout', at(`${name}.key`), '-out', request, '-subj', `/CN=${name}`);
    const issuer = ['-CA', ca, '-CAkey', caKey, '-CAcreateserial', '-days', DAYS, '-extfile', extensions];
    openssl('x509', '-req', '-in', request, ...issuer, '-out', at(`${name}.crt`));
  }
  return {
    ca,
    serverCert: at('server.crt'),
    serverKey: at('server.key'),
    client: { ca, cert: at('bench.crt'), key: at('bench.key'), name: 'bench' },
  };
}
