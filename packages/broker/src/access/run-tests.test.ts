import { describe, expect, it } from 'vitest';
import { policyOf, roleOf } from './policy.ts';
import { parsePolicyTest } from './policy-test.ts';
import { type Registered, runTests } from './run-tests.ts';

const ROLES = [
  roleOf('device', [
    'allow publish devices/${device}/up/# qos<=1 no-retain',
    'allow subscribe devices/${device}/down/#',
  ]),
  roleOf('operator', [
    'allow all plant/#',
    'deny publish plant/safety/#',
    'allow subscribe far/# from 10.0.0.0/8 via vpn',
  ]),
  roleOf('reader', ['allow subscribe by/${user}/#']),
];

const NOBODY: Registered = () => undefined;

function failuresOf(tests: readonly string[], registered = NOBODY): string[] {
  const groups = [{ name: 'g', roles: ['operator'], members: ['password\nann', 'ca:motte\npump-9'], place: '' }];
  const policy = policyOf(ROLES, { groups, tests: tests.map((text) => parsePolicyTest(text, 'p:1:1')) });
  return runTests(policy, registered).failed.map(({ test, because }) => `${test.text}: ${because}`);
}

describe('runTests', () => {
  it('passes what the policy says: by group, by role named in the test, as enrolled', () => {
    expect(
      failuresOf([
        'pump-1 may publish devices/pump-1/up/x',
        'pump-1 may publish devices/pump-1/up/x qos=1',
        'pump-1 may not publish devices/pump-1/up/x qos=2',
        'pump-1 may not publish devices/pump-1/up/x retain',
        'pump-1 may subscribe devices/pump-1/down/#',
        'pump-1 may not subscribe devices/+/down/#',
        'pump-1 may receive devices/pump-1/down/x',
        'ann@password may subscribe plant/#',
        'ann@password may not publish plant/safety/stop',
        'ann@password may not subscribe far/x',
        'ann@password may not subscribe far/x from 10.1.1.1',
        'ann@password may subscribe far/x from 10.1.1.1 via vpn',
        'ann may not subscribe plant/#',
        'bob@scram may not subscribe plant/#',
        'bob@scram may subscribe plant/# as operator',
        'bob@token:https://issuer.example may subscribe by/bob/# as reader,operator',
        'x@ca:plant may not publish devices/x/up/y',
        'x@ca:plant may publish devices/x/up/y as device',
        'k@psk may publish devices/k/up/y',
        "pump-1 may not publish 'devices/pump-2/up/a b'",
      ]),
    ).toEqual([]);
  });

  it('a group is in place of the role of enrolment, and `as` in place of both', () => {
    expect(
      failuresOf([
        'pump-9 may publish plant/x',
        'pump-9 may not publish devices/pump-9/up/x',
        'pump-9 may not publish plant/x as device',
      ]),
    ).toEqual([]);
  });

  it('what is registered counts, and takes the place of the role of enrolment', () => {
    const registered: Registered = ({ name }) =>
      name === 'pump-1' ? { kind: 'device', roles: ['operator'] } : undefined;
    expect(
      failuresOf(['pump-1 may publish plant/x', 'pump-1 may not publish devices/pump-1/up/x'], registered),
    ).toEqual([]);
    expect(failuresOf(['pump-1 may publish plant/x'])).toHaveLength(1);
  });

  it('a failure says what the policy says instead, and by which rule', () => {
    expect(
      failuresOf([
        'ann@password may publish plant/safety/stop',
        'ann@password may not publish plant/x',
        'pump-1 may publish devices/pump-1/up/x qos=2',
        'pump-1 may publish other',
      ]),
    ).toEqual([
      'ann@password may publish plant/safety/stop: role operator, rule 2 denies publish plant/safety/stop: deny publish plant/safety/#',
      'ann@password may not publish plant/x: role operator, rule 1 allows it: allow all plant/#',
      'pump-1 may publish devices/pump-1/up/x qos=2: role device, rule 1 allows publish devices/pump-1/up/x only with qos<=1, and this is QoS 2',
      'pump-1 may publish other: role device: no rule allows publish other; its rules are: allow publish devices/pump-1/up/# qos<=1 no-retain',
    ]);
  });

  it('asks the registry once for tests about somebody in one place', () => {
    let asked = 0;
    const registered: Registered = () => {
      asked += 1;
      return { kind: 'device', roles: ['operator'] };
    };
    const places = ['', ' from 10.1.1.1', ' from 10.1.1.1 via vpn', ' as device'];
    const tests = places.flatMap((place) => Array.from({ length: 10 }, (_, i) => `x may publish plant/${i}${place}`));
    expect(failuresOf(tests, registered)).toHaveLength(10);
    expect(asked).toBe(places.length);
  });

  it('tells which roles took part', () => {
    const tests = ['ann@password may publish plant/x', 'bob@scram may publish x as reader'];
    const policy = policyOf(ROLES, { tests: tests.map((text) => parsePolicyTest(text, 'p:1:1')) });
    expect([...runTests(policy, NOBODY).roles]).toEqual(['reader']);
  });
});
