// What the admin API sees, composed from the broker and everything around it.

import type { Broker } from '@motte/broker';
import type { Log, RefusalRing } from '@motte/broker/observe';
import type { AdminView, BackupSource, HealthFinding } from '@motte/broker/ports/admin-view';
import type { IdentityDirectory } from '@motte/broker/ports/directory';
import { identityLabel } from '@motte/broker/ports/identity';
import { VERSION } from '@motte/broker/ports/version';
import type { MotteConfig } from '../config/config.ts';
import { configDocument } from '../config/show.ts';
import { expiredWaivers } from '../config/weaker.ts';
import { checkAuthority, unregistered } from '../data/authorities.ts';
import { newDevice } from '../data/new-device.ts';
import { parseRoles } from '../data/roles.ts';
import { createAccessDesk } from '../policy/access-desk.ts';
import { createLearning } from '../policy/learn/learning.ts';
import type { LivePolicies } from '../policy/policies.ts';
import { createTokenDesk } from '../tokens/token-desk.ts';
import { createUsers } from '../users/users.ts';
import type { Enrolment } from './enrolment.ts';
import type { RevocationFeed } from './revocation-feed.ts';
import { createTakingAway } from './taking-away.ts';
import type { Tokens } from './tokens.ts';

export interface ViewParts {
  readonly broker: Broker;
  readonly enrolment: Pick<Enrolment, 'rows'>;
  readonly ring: RefusalRing;
  readonly directory: IdentityDirectory;
  readonly tokens: Tokens;
  readonly policies: LivePolicies;
  readonly log: Log;
  readonly feed: RevocationFeed;
  /** Live: these change while the broker runs. */
  readonly phase: () => AdminView['phase'];
  readonly config: () => MotteConfig;
  readonly authority: AdminView['authority'];
  readonly findings: () => readonly HealthFinding[];
  readonly ending: AdminView['ending'];
  readonly openBackup: () => BackupSource;
}

export function createView(parts: ViewParts): AdminView {
  const { broker, ring, directory, policies, log, feed } = parts;
  const startedAtMs = Date.now();
  return {
    version: VERSION,
    pid: process.pid,
    startedAtMs,
    get phase() {
      return parts.phase();
    },
    get configNumber() {
      return parts.config().number;
    },
    get listeners() {
      return [...broker.listeners, ...parts.enrolment.rows];
    },
    counters: broker.counters,
    clients: () => broker.clients(),
    kick: (query) => broker.kick(query),
    endConnections: (identity) => broker.endConnections(identity),
    findings: () => [...parts.findings(), ...broker.findings(), ...expiredWaivers(parts.config().settings, Date.now())],
    ending: () => parts.ending(),
    authority: parts.authority,
    refusals: (query, max) => ring.find(query, max),
    directory,
    async addDevice(wanted) {
      const { ca } = wanted;
      if (ca !== undefined) checkAuthority(parts.config(), ca);
      const device = newDevice({ ...wanted, roles: parseRoles(wanted.roles, policies.policy) });
      await directory.put(device);
      const { addedAtMs: atMs, roles } = device;
      log.observe({ name: 'device.added', atMs, identity: identityLabel(device), roles });
    },
    policies,
    access: createAccessDesk({
      policy: () => policies.policy,
      directory,
      listeners: () => parts.config().listeners,
    }),
    learning: createLearning({ broker, directory, policies }),
    users: createUsers({
      directory,
      endConnections: (user) => broker.endConnections(user),
      ended: async (user) => (await broker.takenFrom(user)) ?? { connections: 0, sessions: 0 },
      connections: (user) => {
        const label = identityLabel(user);
        return broker.clients().filter(({ identity, state }) => identity === label && state === 'connected').length;
      },
      told: (event) => log.observe(event),
      policy: () => policies.policy,
    }),
    tokens: createTokenDesk({
      ...parts.tokens,
      configured: () => parts.config().tokens,
      end: (query) => broker.endProofs(query),
      told: (event) => log.observe(event),
      nowMs: Date.now,
    }),
    ...createTakingAway({ broker, directory, feed, unregistered: (device) => unregistered(parts.config(), device) }),
    config: () => configDocument(parts.config()),
    openBackup: () => parts.openBackup(),
  };
}
