import { parseTopicFilter, parseTopicName, type QoS, type TopicName } from '@motte/wire';
import { describe, expect, it } from 'vitest';
import type { Rights, Subject } from '../ports/access.ts';
import type { ListenerFacts } from '../ports/connection-facts.ts';
import type { Identity } from '../ports/identity.ts';
import type { Refusal, Verdict } from '../ports/verdict.ts';
import { PolicyAccess } from './access.ts';
import { policyOf, roleOf } from './policy.ts';

const NOTHING = { payload: new Uint8Array(0) };

function subject(identity: Partial<Identity>, listener: Partial<ListenerFacts> = {}): Subject {
  return {
    identity: { realm: 'ca:motte', name: 'pump-1', kind: 'device', roles: [], ...identity },
    clientId: 'pump-1',
    facts: {
      listener: {
        name: 'devices',
        scheme: 'mqtts',
        authentication: 'certificate',
        role: undefined,
        clientIds: 'own',
        versions: [3, 4, 5],
        ...listener,
      },
      address: '10.1.2.3',
    },
  };
}

function publish(access: PolicyAccess, rights: Rights, topic: string, qos: QoS = 0, retain = false): Verdict {
  return access.publish(rights, parseTopicName(topic), qos, retain, NOTHING);
}

function refusal(verdict: Verdict): Refusal {
  if (verdict.allow) throw new Error('it was allowed');
  return verdict;
}

describe('PolicyAccess with the built-in roles', () => {
  const access = new PolicyAccess();
  const device = access.rightsOf(subject({ roles: ['device'] }));

  it('a device publishes upwards and subscribes downwards in its own branch, nowhere else', () => {
    expect(publish(access, device, 'devices/pump-1/up/temperature', 2, true).allow).toBe(true);
    expect(publish(access, device, 'devices/pump-2/up/temperature').allow).toBe(false);
    expect(publish(access, device, 'devices/pump-1/down/cmd').allow).toBe(false);
    const filter = (text: string) => access.subscribe(device, parseTopicFilter(text)).allow;
    expect(filter('devices/pump-1/down/#')).toBe(true);
    expect(filter('$share/g/devices/pump-1/down/+')).toBe(true);
    expect(filter('$share/devices/devices/pump-2/down/+')).toBe(false);
    expect(filter('devices/+/down/#')).toBe(false);
    expect(filter('#')).toBe(false);
    expect(filter('$SYS/#')).toBe(false);
    expect(access.receive(device, parseTopicName('devices/pump-1/down/cmd'))).toBe('always');
    expect(access.receive(device, parseTopicName('devices/pump-2/down/cmd'))).toBe('never');
  });

  it('an operator sees all devices and publishes nothing', () => {
    const operator = access.rightsOf(subject({ kind: 'user', name: 'ann', roles: ['operator'] }));
    expect(access.subscribe(operator, parseTopicFilter('devices/+/up/#')).allow).toBe(true);
    expect(access.subscribe(operator, parseTopicFilter('#')).allow).toBe(false);
    expect(publish(access, operator, 'devices/pump-1/down/cmd').allow).toBe(false);
  });

  it('lab may do everything but $, and only on the listener that gives it', () => {
    const anonymous = { realm: 'listener:lab', name: 'anonymous', kind: 'anonymous', roles: ['lab'] } as const;
    const lab = access.rightsOf(subject(anonymous, { name: 'lab', authentication: 'none', role: 'lab' }));
    expect(publish(access, lab, 'any/thing').allow).toBe(true);
    expect(publish(access, lab, '$SYS/x').allow).toBe(false);
    expect(access.subscribe(lab, parseTopicFilter('#')).allow).toBe(true);
    const smuggled = access.rightsOf(subject({ roles: ['lab'] }));
    expect(refusal(publish(access, smuggled, 'any/thing')).because).toContain('role lab counts only on a listener');
  });

  it('says which rule decided, or what the rules are', () => {
    expect(refusal(publish(access, device, 'devices/pump-2/up/x'))).toEqual({
      allow: false,
      reason: 'not-authorized',
      because:
        'role device: no rule allows publish devices/pump-2/up/x; its rules are: allow publish devices/pump-1/up/#',
      rule: 'role device',
    });
    const none = access.rightsOf(subject({ roles: ['gone'] }));
    expect(refusal(publish(access, none, 'a'))).toMatchObject({
      because: 'no role: no rule allows publish a; there is no rule on publish; the policy has no role gone',
      rule: 'no role',
    });
  });
});

describe('PolicyAccess with a policy', () => {
  const policy = policyOf([
    roleOf('operator', [
      'allow all plant/#',
      'deny publish plant/config/#',
      'allow publish cmd/+ qos<=1 no-retain',
      'allow publish far/# from 192.0.2.0/24',
      'deny receive plant/audit/# qos<=0',
    ]),
  ]);

  it('names the deny, the condition that was missed, and rules that do not hold here', () => {
    const access = new PolicyAccess(policy);
    const rights = access.rightsOf(subject({ roles: ['operator'] }));
    expect(refusal(publish(access, rights, 'plant/config/x'))).toMatchObject({
      because: 'role operator, rule 2 denies publish plant/config/x: deny publish plant/config/#',
      rule: 'role operator, rule 2',
    });
    expect(publish(access, rights, 'cmd/x', 1).allow).toBe(true);
    const missed = refusal(publish(access, rights, 'cmd/x', 2, true));
    expect(missed.rule).toBe('role operator, rule 3');
    expect(missed.because).toContain('only with qos<=1, and this is QoS 2 and without RETAIN');
    expect(refusal(publish(access, rights, 'far/x')).because).toContain(
      'far/# from 192.0.2.0/24 (only from 192.0.2.0/24)',
    );
  });

  it('asks each message where a condition decides', () => {
    const access = new PolicyAccess(policy);
    const rights = access.rightsOf(subject({ roles: ['operator'] }));
    const topic = parseTopicName('plant/audit/x');
    expect(access.receive(rights, topic)).toBe('ask');
    expect(access.receiveMessage(rights, topic, 0, false, NOTHING)).toBe(false);
    expect(access.receiveMessage(rights, topic, 1, false, NOTHING)).toBe(true);
    expect(access.receive(rights, parseTopicName('plant/x'))).toBe('always');
    for (let i = 0; i < 3; i++) {
      expect(publish(access, rights, 'cmd/x', 2).allow).toBe(false);
      expect(publish(access, rights, 'cmd/x', 0).allow).toBe(true);
    }
  });

  it('rights removed now are gone now, also in rights made before', () => {
    const access = new PolicyAccess(policy);
    const rights = access.rightsOf(subject({ roles: ['operator'] }));
    expect(publish(access, rights, 'plant/x').allow).toBe(true);
    const before = access.generation;
    access.replacePolicy(policyOf([roleOf('operator', ['allow publish other'])]));
    expect(access.generation).toBeGreaterThan(before);
    expect(publish(access, rights, 'plant/x').allow).toBe(false);
    expect(publish(access, rights, 'other').allow).toBe(true);
    expect(access.subscribe(rights, parseTopicFilter('plant/x')).allow).toBe(false);
    expect(access.receive(rights, parseTopicName('plant/x'))).toBe('never');
    expect(rights.generation).toBe(access.generation);
  });

  it('a refusal is one readable line whatever the topic', () => {
    const access = new PolicyAccess(policy);
    const rights = access.rightsOf(subject({ roles: ['operator'] }));
    const topic = `evil\nline/${'x'.repeat(60_000)}` as TopicName;
    const { because } = refusal(access.publish(rights, topic, 0, false, NOTHING));
    expect(because.length).toBeLessThan(700);
    expect(because).not.toMatch(/\p{Cc}/u);
  });

  it('a topic of 65,535 slashes is decided like any other', () => {
    const access = new PolicyAccess(policy);
    const rights = access.rightsOf(subject({ roles: ['operator'] }));
    expect(publish(access, rights, '/'.repeat(65_535)).allow).toBe(false);
    expect(publish(access, rights, `plant${'/'.repeat(65_530)}`).allow).toBe(true);
  });
});
