// The long form of the look at TLS from outside: testssl.sh with our CA added, on a listener for devices, one for passwords and the
// console. Takes some ten minutes and needs `npm run build`; exits 1 if it finds anything above what stands in ACCEPTED.

import { spawn } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ENTRY = fileURLToPath(new URL('../../packages/motte/bin/motte.js', import.meta.url));
const PROGRAM = process.env.TESTSSL ?? 'testssl';
const BAD = new Set(['LOW', 'MEDIUM', 'HIGH', 'CRITICAL']);

/** Findings that are as they must be in a plant with an authority of its own, each with the reason. */
const ACCEPTED = new Map([
  ['OCSP_stapling', 'there is no responder: a server certificate lives 90 days'],
  ['DNS_CAArecord', 'names of a plant stand in no public DNS'],
  ['HSTS', 'the console is on loopback, under no name that a browser could remember for others'],
]);

const folder = mkdtempSync(join(tmpdir(), 'motte-testssl-'));
const data = join(folder, 'data');
const config = join(folder, 'motte.yaml');
writeFileSync(
  config,
  `listeners:
  - { name: devices, url: "mqtts://127.0.0.1:0" }
  - { name: panel, url: "mqtts://127.0.0.1:0", authentication: password }
console: { url: "https://localhost:0" }
tls: { rsa: "2048" }
log: { shape: json }
`,
);
// As a plant has it that lets others check certificates too; nobody fetches it here.
mkdirSync(join(data, 'pki'), { recursive: true, mode: 0o700 });
writeFileSync(join(data, 'pki', 'authority.yaml'), 'crl: { url: "http://pki.plant.example/motte" }\n', { mode: 0o600 });
const broker = spawn(process.execPath, [ENTRY, 'start', '--data', data, '--config', config], {
  stdio: ['ignore', 'ignore', 'pipe'],
});
const ended = new Promise((resolve) => broker.once('exit', resolve));
let bad = 0;
try {
  const ports = await portsOf(broker);
  const wanted = process.argv.slice(2);
  for (const [name, port] of ports) if (wanted.length === 0 || wanted.includes(name)) bad += await scan(name, port);
} finally {
  broker.kill('SIGTERM');
  await ended;
  rmSync(folder, { recursive: true, force: true });
}
console.log(bad === 0 ? 'nothing to complain of' : `${bad} findings`);
process.exit(bad === 0 ? 0 : 1);

/** Ports of the listeners and the console, from what the program greets with. */
async function portsOf(child) {
  let said = '';
  for await (const chunk of child.stderr) {
    said += chunk;
    if (said.includes('Enrol two devices')) break;
  }
  child.stderr.resume();
  return [...said.matchAll(/^ {2}(devices|panel|console) +\S+?:([0-9]+)(?:\/\S*)? /gm)].map(([, name, port]) => [
    name,
    port,
  ]);
}

async function scan(name, port) {
  const ca = join(folder, 'ca.crt');
  writeFileSync(ca, readFileSync(join(data, 'pki', 'ca', 'root.crt')));
  const out = join(folder, `${name}.json`);
  console.log(`${name}: scanning, this takes some minutes`);
  const parameters = ['--quiet', '--color', '0', '--warnings', 'off', '--add-ca', ca, '--jsonfile', out];
  const program = spawn(PROGRAM, [...parameters, '--openssl', '/usr/bin/openssl', `localhost:${port}`], {
    cwd: folder,
    stdio: ['ignore', 'ignore', 'inherit'],
  });
  await new Promise((resolve, reject) => program.once('close', resolve).once('error', reject));
  const findings = JSON.parse(readFileSync(out, 'utf8'));
  const complaints = findings.filter(({ id, severity }) => BAD.has(severity) && !ACCEPTED.has(id.split(' ')[0]));
  for (const { id, severity, finding } of complaints) console.log(`${name}: ${severity} ${id}: ${finding}`);
  console.log(`${name}: ${findings.length} findings, ${complaints.length} to complain of`);
  return complaints.length;
}
