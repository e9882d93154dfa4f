// Motte's broker as a library, in the process that is started with this file: PORT TLS-PORT open|policy. `policy`: authorisation by a
// role with a thousand rules; `open`: every question is answered with yes before it is looked at. Without TLS: what access costs is
// the same there.
import { createServer } from 'node:net';
import { createAccess } from '../../packages/broker/dist/access/access.js';
import { policyOf, roleOf } from '../../packages/broker/dist/access/policy.js';
import { DEFAULT_LIMITS } from '../../packages/broker/dist/ports/limits.js';
import { createBroker } from '../../packages/broker/dist/start.js';
import { manyRules } from './many-rules.mjs';

const [port, tlsPort, kind] = process.argv.slice(2);
const ROLE = 'bench';
const policy = createAccess(policyOf([roleOf(ROLE, manyRules(1_000), { listenerOnly: true })]));
const ALLOW = Object.freeze({ allow: true });
const open = {
  generation: 1,
  rightsOf: (subject) => policy.rightsOf(subject),
  publish: () => ALLOW,
  subscribe: () => ALLOW,
  receive: () => 'always',
  receiveMessage: () => true,
};

const listener = {
  name: 'plain',
  scheme: 'mqtt',
  authentication: 'none',
  role: ROLE,
  clientIds: 'any',
  versions: [3, 4, 5],
  url: `mqtt://127.0.0.1:${port}`,
  host: '127.0.0.1',
  port: Number(port),
  path: '',
  connectionsMax: 20_000,
  origins: [],
};
const broker = createBroker({
  config: {
    number: 1,
    listeners: [listener],
    limits: { ...DEFAULT_LIMITS, sessionsPerIdentityMax: 1_000_000 },
    admission: {
      handshakesAtOnceMax: 1_000,
      connectionsPerSourceMax: 20_000,
      waitingMax: 1_000,
      lagMsMax: 200,
      exempt: ['127.0.0.0/8'],
    },
    store: { kind: 'memory', lingerMs: 0 },
  },
  directory: {
    find: () => undefined,
    list: () => [],
    put: () => Promise.resolve(),
    remove: () => Promise.resolve(false),
  },
  trust: { number: 1, issuers: [] },
  access: kind === 'open' ? open : policy,
});
await broker.open();
// The runner waits for both ports of a broker.
createServer().listen(Number(tlsPort), '127.0.0.1');
process.once('SIGTERM', () => process.exit(0));
