// Questions about rights, on a registry in memory: whom they are about, and that the answer is the broker's own.

import type { AccessQuestion } from '@motte/broker/ports/access-desk';
import type { ListenerFacts } from '@motte/broker/ports/connection-facts';
import type { RegisteredIdentity } from '@motte/broker/ports/directory';
import { describe, expect, it } from 'vitest';
import { MemoryDirectory } from '../../../broker/src/testing/logins.ts';
import { createAccessDesk } from './access-desk.ts';
import { parsePolicy } from './document.ts';

const POLICY = `roles:
  device:
    - allow publish devices/\${device}/up/# qos<=1
    - deny publish devices/+/up/secret
    - allow subscribe devices/\${client}/down/#
  operator:
    - allow all plant/#
    - deny publish plant/# from 192.0.2.0/24
    - allow publish far from 10.0.0.0/8 via devices
  lab: { listenerOnly: true, rules: ["allow all '#'"] }
groups:
  line: { roles: [operator], members: [pump-1, ghost@scram] }
`;

const registered = (realm: string, name: string, more: Partial<RegisteredIdentity> = {}): RegisteredIdentity => {
  const kind = realm === 'password' || realm === 'scram' ? 'user' : 'device';
  return { realm, name, kind, roles: ['device'], state: 'active', addedAtMs: 0, ...more };
};
const listener = (name: string, more: Partial<ListenerFacts> = {}): ListenerFacts => ({
  name,
  scheme: 'mqtts',
  authentication: 'certificate',
  role: undefined,
  clientIds: 'own',
  versions: [5],
  ...more,
});

const desk = createAccessDesk({
  policy: () => parsePolicy(POLICY, 'p.yaml'),
  directory: new MemoryDirectory(
    registered('ca:motte', 'pump-1'),
    registered('psk', 'board'),
    registered('ca:plant', 'plc'),
    registered('password', 'ann', { roles: ['operator'] }),
    registered('password', 'twin', { roles: [] }),
    registered('ca:plant', 'twin'),
    registered('ca:motte', 'locked', { state: 'disabled' }),
    registered('password', 'gone', { roles: ['retired'] }),
  ),
  listeners: () => [
    listener('lab', { authentication: 'none', role: 'lab', clientIds: 'any' }),
    listener('devices'),
    listener('plant', { clientCa: ['ca:plant'], clientIds: 'any' }),
    listener('panel', { authentication: 'password' }),
    listener('wide', { role: 'lab' }),
  ],
});

const ask = (client: string, action: AccessQuestion['action'], topic: string, more: Partial<AccessQuestion> = {}) =>
  desk.check({ client, action, topic, qos: 0, retain: false, from: '', via: '', ...more });

describe('access check', () => {
  it('names the identity, its roles, the listener, the rule and where it stands', () => {
    expect(ask('pump-1', 'publish', 'devices/pump-1/up/x')).toEqual({
      allow: true,
      identity: 'pump-1',
      registered: true,
      roles: ['device', 'operator'],
      listener: 'devices',
      because: 'role device, p.yaml:3:7 allows it: allow publish devices/${device}/up/# qos<=1',
      rule: 'role device, p.yaml:3:7',
      considered: [
        { rule: 'role device, p.yaml:3:7', text: 'allow publish devices/${device}/up/# qos<=1', because: '' },
      ],
    });
    const denied = ask('pump-1', 'publish', 'devices/pump-1/up/secret', { qos: 2 });
    expect(denied).toMatchObject({ allow: false, rule: 'role device, p.yaml:4:7' });
    expect(denied.considered.map(({ because }) => because)).toEqual(['with qos<=1, and this is QoS 2', '']);
  });

  it.each([
    ['pump-1', 'pump-1', 'devices'],
    ['pump-1/second', 'pump-1', 'devices'],
    ['board', 'board@psk', ''],
    ['plc', 'plc@ca:plant', 'plant'],
    ['ann', 'ann@password', 'panel'],
    ['ann@password', 'ann@password', 'panel'],
    ['twin@password', 'twin@password', 'panel'],
    ['nobody', 'nobody', 'devices'],
  ])('%s is %s, and comes by "%s"', (client, identity, by) => {
    expect(ask(client, 'receive', 'x')).toMatchObject({ identity, listener: by });
  });

  it('a client identifier is one for ${client}', () => {
    expect(ask('pump-1', 'subscribe', 'devices/pump-1/down/#').allow).toBe(true);
    expect(ask('pump-1', 'subscribe', '$share/g/devices/pump-1/down/+').allow).toBe(true);
    expect(ask('pump-1/second', 'subscribe', 'devices/pump-1/down/#').allow).toBe(false);
    expect(ask('plc', 'subscribe', 'devices/plc/down/#').allow).toBe(false);
  });

  it('address and listener decide where rules say so, and the listener gives its role', () => {
    expect(ask('ann', 'publish', 'plant/x').allow).toBe(true);
    expect(ask('ann', 'publish', 'plant/x', { from: '192.0.2.9' })).toMatchObject({
      allow: false,
      rule: 'role operator, p.yaml:8:7',
    });
    expect(ask('ann', 'publish', 'far', { from: '10.1.1.1' }).considered).toMatchObject([
      { because: 'only via devices' },
    ]);
    const far = (more: Partial<AccessQuestion>) => ask('pump-1', 'publish', 'far', more);
    expect(far({ via: 'devices' }).considered).toMatchObject([{ because: 'only from 10.0.0.0/8' }]);
    expect(far({ from: '10.1.1.1', via: 'devices' }).allow).toBe(true);
    expect(ask('pump-1', 'publish', 'any', { via: 'wide' })).toMatchObject({
      allow: true,
      roles: ['device', 'operator', 'lab'],
    });
  });

  it('by a listener that does not take somebody nothing is allowed, whatever the rules say', () => {
    const shut = (client: string, via: string) => {
      const { allow, because, rule } = ask(client, 'publish', 'plant/x', { via });
      return [allow, because, rule];
    };
    expect(shut('ann', 'devices')).toEqual([
      false,
      'listener devices does not take ann@password: it takes certificates',
      'listeners.authentication',
    ]);
    expect(shut('pump-1', 'plant')).toEqual([
      false,
      'listener plant does not take pump-1: it takes certificates of ca:plant',
      'listeners.clientCa',
    ]);
  });

  it('on a listener without authentication everybody is anonymous, with no more than the role of the listener', () => {
    for (const client of ['anonymous@lab', 'pump-1', 'ann']) {
      expect(ask(client, 'publish', 'plant/x', { via: 'lab' })).toMatchObject({
        allow: true,
        identity: 'anonymous@lab',
        registered: false,
        roles: ['lab'],
        listener: 'lab',
      });
    }
    expect(ask('anonymous@lab', 'publish', '$plant/x')).toMatchObject({
      allow: false,
      listener: 'lab',
      rule: 'role lab',
    });
    expect(ask('anonymous@lab', 'publish', 'x', { via: 'devices' }).rule).toBe('listeners.authentication');
    expect(ask('anonymous@password', 'publish', 'x')).toMatchObject({
      identity: 'anonymous@password',
      listener: 'panel',
    });
  });

  it('whoever is disabled may nothing, and who is not registered has what groups give', () => {
    expect(ask('locked', 'publish', 'devices/locked/up/x')).toMatchObject({ allow: false, rule: 'registry' });
    expect(ask('ghost@scram', 'publish', 'plant/x')).toMatchObject({ allow: true, registered: false });
    expect(ask('gone@password', 'publish', 'x').because).toContain('the policy has no role retired');
  });

  it.each([
    ['twin', 'x', {}, 'twin may be twin@password, twin@ca:plant: write which one'],
    ['a b', 'x', {}, 'is not a name'],
    ['ann@home', 'x', {}, 'is no realm'],
    ['ann', 'a/+', {}, 'holds a wildcard'],
    ['ann', '', {}, 'is empty'],
    ['ann', 'x', { via: 'lobby' }, 'there is no listener lobby'],
    ['anonymous@lobby', 'x', {}, 'there is no listener lobby'],
    ['anonymous@devices', 'x', {}, 'nobody is anonymous on listener devices'],
  ] as const)('%s about %j %j cannot be answered', (client, topic, more, why) => {
    expect(() => ask(client, 'publish', topic, more)).toThrow(
      expect.objectContaining({ code: 'MOT-0907', why: expect.stringContaining(why) }),
    );
  });
});

describe('access who', () => {
  it('lists who may publish or receive, and where it depends on something', () => {
    expect(desk.who('plant/x')).toEqual([
      { identity: 'ann@password', publish: 'yes', receive: 'yes' },
      // Whoever reaches the listener.
      { identity: 'anonymous@lab', publish: 'yes', receive: 'yes' },
      { identity: 'ghost@scram', publish: 'yes', receive: 'yes' },
      { identity: 'pump-1', publish: 'yes', receive: 'yes' },
    ]);
    const known = (topic: string) => desk.who(topic).filter(({ identity }) => identity !== 'anonymous@lab');
    // Not by every listener that takes it: one of them gives the role lab.
    expect(known('devices/pump-1/up/x')).toEqual([{ identity: 'pump-1', publish: 'some', receive: 'some' }]);
    expect(known('far').map(({ publish }) => publish)).toEqual(['some', 'some', 'some']);
    expect(known('devices/pump-1/up/secret')).toEqual([{ identity: 'pump-1', publish: 'no', receive: 'some' }]);
    expect(known('devices/locked/up/x')).toEqual([{ identity: 'pump-1', publish: 'some', receive: 'some' }]);
    expect(desk.who('$SYS/x')).toEqual([]);
  });

  it('of 10,000 identities those with the same roles are looked at once, and those whom the topic names for themselves', () => {
    let looks = 0;
    class CountedMap<K, V> extends Map<K, V> {
      override get(key: K): V | undefined {
        looks += 1;
        return super.get(key);
      }
    }
    const rules = Array.from({ length: 1000 }, (_, i) => `    - allow publish a/b/${i}\n`).join('');
    const device = `${rules}    - allow publish \${device}/x\n    - deny publish a/\${device}/999\n`;
    const policy = parsePolicy(
      `roles:\n  device:\n${device}  reader: [allow subscribe a/#]\ngroups: { g: { roles: [reader], members: [d7] } }\n`,
      'p.yaml',
    );
    const many = Array.from({ length: 10_000 }, (_, i) => registered('ca:motte', `d${i}`));
    const all = createAccessDesk({
      policy: () => ({ ...policy, roles: new CountedMap(policy.roles) }),
      directory: new MemoryDirectory(...many, registered('ca:motte', 'b')),
      listeners: () => undefined,
    });
    looks = 0;
    const holders = all.who('a/b/999');
    expect(looks).toBeLessThan(20);
    expect(holders).toHaveLength(10_000);
    // b is denied what its name stands in, and d7 has a role more.
    expect(holders.some(({ identity }) => identity === 'b')).toBe(false);
    expect(holders.filter(({ receive }) => receive !== 'no')).toEqual([
      { identity: 'd7', publish: 'yes', receive: 'yes' },
    ]);
    expect(all.who('d9/x')).toEqual([{ identity: 'd9', publish: 'yes', receive: 'no' }]);
  });
});
