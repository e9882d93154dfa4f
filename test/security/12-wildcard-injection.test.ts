// Wildcards that come in through a name (CVE-2017-7650, NanoMQ #2344): a client identifier or name with + # or / never
// widens a rule that has it filled in.

import { parseTopicFilter, parseTopicName } from '@motte/wire';
import { describe, expect, it } from 'vitest';
import { PolicyAccess } from '../../packages/broker/src/access/access.ts';
import { policyOf, roleOf } from '../../packages/broker/src/access/policy.ts';

const NOTHING = { payload: new Uint8Array(0) };

const facts = {
  address: '127.0.0.1',
  listener: {
    name: 'l',
    scheme: 'mqtts',
    authentication: 'certificate',
    role: undefined,
    clientIds: 'own',
    versions: [4, 5],
  },
} as const;

describe('a placeholder filled with a wildcard', () => {
  const access = new PolicyAccess(
    policyOf([
      roleOf('r', [
        'allow all by-client/${client}/#',
        'allow all by-device/${device}/#',
        'allow all by-user/${user}/#',
      ]),
    ]),
  );

  it.each(['+', '#', 'a/b', 'a/+', '+/#', '..', '$SYS', 'a#', '/'])(
    '"%s" grants nothing but its own letters',
    (name) => {
      for (const kind of ['device', 'user'] as const) {
        const identity = { realm: 'ca:motte', name, kind, roles: ['r'] };
        const rights = access.rightsOf({ identity, clientId: name, facts });
        for (const where of ['by-client', 'by-device', 'by-user']) {
          const topic = parseTopicName(`${where}/victim/x`);
          expect(access.publish(rights, topic, 0, false, NOTHING).allow).toBe(false);
          expect(access.receive(rights, topic)).toBe('never');
          for (const filter of [`${where}/victim/#`, `${where}/+/#`, `${where}/#`, '#']) {
            expect(access.subscribe(rights, parseTopicFilter(filter)).allow).toBe(false);
          }
        }
      }
    },
  );

  it('a name without them is filled in', () => {
    const identity = { realm: 'ca:motte', name: 'pump-1', kind: 'device', roles: ['r'] } as const;
    const rights = access.rightsOf({ identity, clientId: 'pump-1', facts });
    expect(access.publish(rights, parseTopicName('by-device/pump-1/x'), 0, false, NOTHING).allow).toBe(true);
  });
});
