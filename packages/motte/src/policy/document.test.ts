import { builtInPolicy, POLICY_LIMITS } from '@motte/broker/policy';
import { describe, expect, it } from 'vitest';
import { PolicyRefused, parsePolicy } from './document.ts';
import { renderRoles } from './render-policy.ts';

const WHOLE = `# who may do what
roles:
  device:
    - allow publish devices/\${device}/up/#
    - allow subscribe devices/\${device}/down/#
  operator: [ "allow all '#'", deny publish $SYS/# ]
  lab: { listenerOnly: true, rules: [ allow all line/+ ] }
groups:
  line1: { roles: [device], members: [pump-1, ann@password, x@ca:plant] }
defaults: { user: [operator] }
tests:
  - pump-1 may publish devices/pump-1/up/temperature
  - pump-1 may not subscribe devices/pump-2/down/#
`;

function linesOf(text: string): readonly string[] {
  try {
    parsePolicy(text, 'p.yaml');
  } catch (error) {
    if (error instanceof PolicyRefused) return error.lines;
    throw error;
  }
  throw new Error('it was taken');
}

describe('parsePolicy', () => {
  it('reads roles, groups, defaults and tests, and every rule knows its place', () => {
    const policy = parsePolicy(WHOLE, 'p.yaml');
    expect([...policy.roles.keys()]).toEqual(['device', 'operator', 'lab']);
    expect(policy.roles.get('device')?.rules.map(({ place }) => place)).toEqual(['p.yaml:4:7', 'p.yaml:5:7']);
    expect(policy.roles.get('operator')?.rules.map(({ place }) => place)).toEqual(['p.yaml:6:15', 'p.yaml:6:32']);
    expect(policy.roles.get('operator')?.rules[0]?.filter).toBe('#');
    expect(policy.roles.get('lab')).toMatchObject({ listenerOnly: true });
    expect(policy.memberships).toEqual(
      new Map([
        ['ca:motte\npump-1', ['device']],
        ['password\nann', ['device']],
        ['ca:plant\nx', ['device']],
      ]),
    );
    expect(policy.defaults).toEqual({ device: [], user: ['operator'] });
    expect(policy.tests.map(({ may, place }) => [may, place])).toEqual([
      [true, 'p.yaml:12:5'],
      [false, 'p.yaml:13:5'],
    ]);
  });

  it.each(['', '\n', '# nothing but a comment\n', '---\n', '{}', 'roles: {}', 'null'])(
    'a policy of %j allows nothing',
    (text) => {
      const policy = parsePolicy(text, 'p.yaml');
      expect([policy.roles.size, policy.groups.size, policy.tests.length]).toEqual([0, 0, 0]);
    },
  );

  it('what is built in says the same when it is rendered and read', () => {
    const read = parsePolicy(renderRoles(builtInPolicy()), 'p.yaml');
    const shape = (policy: typeof read) =>
      [...policy.roles.values()].map(({ name, rules, listenerOnly }) => [
        name,
        listenerOnly,
        rules.map(({ text }) => text),
      ]);
    expect(shape(read)).toEqual(shape(builtInPolicy()));
  });

  it.each([
    [
      'roles:\n  r:\n    - allow publish #\n',
      '3:20: roles.r[0]: it ends where a topic filter is due',
      'put a rule with the filter # alone in quotes',
    ],
    [
      'roles:\n  r: [allow publish my topic]\n',
      '2:24: roles.r[0]: "topic" is not a condition',
      'quote a filter that has a space',
    ],
    ['roles:\n  r: ["allow publish a bogus"]\n', '2:24: roles.r[0]: "bogus" is not a condition', ''],
    ['roles:\n  r:\n    - "allow \\x70ublish a bogus"\n', '3:7: roles.r[0]: "bogus" is not a condition', ''],
    ['roles:\n  r:\n    - >\n      allow publish\n      a bogus\n', '3:7: roles.r[0]: "bogus', ''],
    [
      'roles:\n  r: [аllow publish a]\n',
      '2:7: roles.r[0]: "аllow" does not belong there; it holds U+0430',
      'allow or deny',
    ],
    ['roles:\n  r: [allow publish a sealed]\n', '2:7: roles.r[0]: the condition sealed is not in this version', ''],
    ['roles:\n  r:\n    - allow publish a: b\n', '3:7: roles.r[0]: must be a rule as text', 'quotes'],
    ['roles:\n  r: [12]\n', '2:7: roles.r[0]: must be a rule as text', 'quotes'],
    ['roles:\n  r: allow publish a\n', '2:6: roles.r: must be a list', '[]'],
    ['roles:\n  r:\n', '2:5: roles.r: must be a list', '[] for none'],
    ['roles:\n  r: {rule: [allow publish a]}\n', '2:7: roles.r.rule: unknown key', 'rules, quotas, listenerOnly'],
    ['roles:\n  r: {listenerOnly: maybe}\n', '2:7: roles.r: listenerOnly is true or false', ''],
    ['roles:\n  dеvice: []\n', '2:3: roles: "dеvice" is not a name, it holds U+0435', '1 to 63'],
    ['roles:\n  a/b: []\n', '2:3: roles: "a/b" is not a name', 'letters'],
    ['roles:\n  r: []\n  r: []\n', '3:3: not valid YAML: this key stands here twice', ''],
    ['roles: []\n', '1:8: roles: must be a section of keys', ''],
    ['role: {}\n', '1:1: role: unknown key; did you mean roles?', ''],
    ['something: {}\n', '1:1: something: unknown key; allowed here: roles, groups, tests, defaults', ''],
    ['require: ["sealed=g a/#"]\n', '1:1: require: not in this version', ''],
    ['- roles\n', '1:1: the file: must be a section of keys', ''],
    [
      'groups:\n  g: {roles: [devise], members: []}\nroles: {device: []}\n',
      '2:15: groups.g.roles[0]: there is no role devise; did you mean device?',
      '',
    ],
    ['groups:\n  g: {roles: [], members: [pump/1]}\n', '2:28: groups.g.members[0]: "pump/1" is not a name', ''],
    ['groups:\n  g: {roles: [], members: [ann@home]}\n', '2:28: groups.g.members[0]: "home" is no realm', '@password'],
    [
      'groups:\n  g: {roles: [], members: [a, a@ca:motte]}\n',
      '2:31: groups.g.members[1]: a@ca:motte stands there twice',
      '',
    ],
    ['groups:\n  g: {roles: [], members: [007]}\n', '2:28: groups.g.members[0]: must be a member as text', 'quotes'],
    ['groups:\n  g: {member: []}\n', '2:7: groups.g.member: unknown key; allowed here: roles, members', ''],
    ['defaults: {gadget: []}\n', '1:12: defaults.gadget: unknown key; allowed here: device, user', ''],
    ['defaults: {device: [r]}\n', '1:21: defaults.device[0]: there is no role r', ''],
    ['tests: [pump-1 can publish a]\n', '1:16: tests[0]: "can" does not belong there', 'WHO may publish'],
    ['tests: [pump-1 may publish a/#]\n', '1:28: tests[0]: "a/#" is not a topic', 'no wildcard'],
    ['tests:\n  - pump-1 may subscribe #\n', '2:25: tests[0]: it ends where a topic is due', 'quotes'],
    ['tests: [pump-1 may publish a as r]\n', '1:9: tests[0]: there is no role r', ''],
    ['tests: [pump-1 may publish a qos=3]\n', '1:30: tests[0]: "qos=3" is no QoS', ''],
    ['tests: [pump-1 may publish a from 10.0.0.0/8]\n', '1:35: tests[0]: "10.0.0.0/8" is not an address', ''],
    ['roles: &a {}\n', '1:11: &a: anchors are not allowed', ''],
    ['roles: {}\ngroups: *a\n', '2:9: *a: aliases are not allowed', ''],
    ['roles: {}\n---\nroles: {}\n', 'a second document', ''],
    [`${'['.repeat(100_000)}\n`, 'the file: is nested too deeply here', ''],
    [`${'- '.repeat(100_000)}x`, 'the file: is nested too deeply here', ''],
    [`${'{a: '.repeat(100_000)}`, 'the file: is nested too deeply here', ''],
    [`${'? '.repeat(100_000)}`, 'the file: is nested too deeply here', ''],
    ['- ]\n'.repeat(200_000), 'the file: has more in it than any file within the limits', ''],
    [Array.from({ length: 50_000 }, (_, i) => `k${i}: 1\n`).join(''), 'has more than 1000 keys in one section', ''],
    [
      `{${Array.from({ length: 50_000 }, (_, i) => `k${i}: 1,`).join('')}}`,
      'has more than 1000 keys in one section',
      '',
    ],
    [' '.repeat(POLICY_LIMITS.bytesMax + 1), '1:1: the file: is larger than 1 MiB', ''],
  ])('refuses %#: %.60j, and says where, why and what to write', (text, why, todo) => {
    const [line = ''] = linesOf(text);
    expect(line).toContain(why);
    expect(line).toContain(todo);
    expect(line).toMatch(/^p\.yaml:\d+:\d+: /);
  });

  it('finds all mistakes in one look, in the order of the file, and tells of no more than fifty', () => {
    const lines = linesOf('tests: [x]\nroles:\n  r: [allow, deny nothing]\n  s: 1\n');
    expect(lines.map((line) => line.slice(0, 12))).toEqual([
      'p.yaml:1:10:',
      'p.yaml:3:12:',
      'p.yaml:3:19:',
      'p.yaml:4:6: ',
    ]);
    expect(linesOf(`tests: [${'x, '.repeat(200)}]`)).toHaveLength(50);
  });

  it.each([
    [
      'rules',
      `roles:\n  r:\n${'    - allow publish a\n'.repeat(POLICY_LIMITS.rulesMax + 1)}`,
      'roles: have more than 10000 rules',
    ],
    ['tests', `tests:\n${'  - a may publish b\n'.repeat(POLICY_LIMITS.testsMax + 1)}`, 'tests: are more than 5000'],
    [
      'roles',
      `roles:\n${Array.from({ length: POLICY_LIMITS.rolesMax + 1 }, (_, i) => `  r${i}: []\n`).join('')}`,
      'has more than 1000 keys in one section',
    ],
    [
      'members',
      `groups:\n  g:\n    roles: []\n    members: [${Array.from({ length: POLICY_LIMITS.membersMax + 1 }, (_, i) => `m${i}`).join(', ')}]\n`,
      'groups: have more than 20000 members',
    ],
    [
      'characters of a line',
      `tests: [${'x'.repeat(POLICY_LIMITS.lineMax + 1)}]`,
      'tests[0]: is longer than 2048 characters',
    ],
  ])('refuses too many %s', (_what, text, why) => {
    expect(linesOf(text)).toEqual([expect.stringContaining(why)]);
  });

  it('takes 10,000 rules, 1,000 roles and 5,000 tests', () => {
    const rules = Array.from({ length: 1000 }, (_, i) => `  r${i}: [${'allow publish a/b, '.repeat(10)}]\n`).join('');
    const policy = parsePolicy(`roles:\n${rules}tests:\n${'  - a may publish b\n'.repeat(5_000)}`, 'p.yaml');
    expect([policy.roles.size, policy.tests.length]).toEqual([1000, 5_000]);
  });

  it('takes 10,000 rules, 20,000 members and 5,000 tests at once, each on a line of its own', () => {
    const lines = (count: number, line: (i: number) => string) =>
      Array.from({ length: count }, (_, i) => `${line(i)}\n`).join('');
    const text = `roles:\n  r:\n${lines(POLICY_LIMITS.rulesMax, (i) => `    - allow publish a/${i}`)}groups:
  g:
    roles: [r]
    members:\n${lines(POLICY_LIMITS.membersMax, (i) => `      - m${i}`)}tests:\n${lines(POLICY_LIMITS.testsMax, (i) => `  - m${i} may publish a/${i}`)}`;
    const policy = parsePolicy(text, 'p.yaml');
    const { rulesMax, membersMax, testsMax } = POLICY_LIMITS;
    const counts = [policy.roles.get('r')?.rules.length, policy.memberships.size, policy.tests.length];
    expect(counts).toEqual([rulesMax, membersMax, testsMax]);
  });
});
