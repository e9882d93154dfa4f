// The smallest program that serves Aedes at a plain and a mutual-TLS port: PORT TLS-PORT CA CERT KEY.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { createServer as createTlsServer } from 'node:tls';
import { Aedes } from 'aedes';

const [port, tlsPort, ca, cert, key] = process.argv.slice(2);
const aedes = await Aedes.createBroker();
const tls = {
  ca: readFileSync(ca),
  cert: readFileSync(cert),
  key: readFileSync(key),
  requestCert: true,
  rejectUnauthorized: true,
};
createServer({ noDelay: true }, aedes.handle).listen(Number(port), '127.0.0.1');
createTlsServer({ ...tls, noDelay: true }, aedes.handle).listen(Number(tlsPort), '127.0.0.1');
process.once('SIGTERM', () => process.exit(0));
