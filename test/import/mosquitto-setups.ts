// Set-ups of mosquitto as sites have them, and questions about them: made from a seed, which tests print when they fail.

import type { Acl, SecurityDocument } from './mosquitto-rules.ts';

/** Numbers from 0 to below `below`, the same for the same seed. */
export function seeded(seed: number): (below: number) => number {
  let state = seed >>> 0;
  return (below) => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) % below;
  };
}

export type Random = ReturnType<typeof seeded>;

export function pick<T>(random: Random, list: readonly T[]): T {
  return list[random(list.length)] as T;
}

export const USERS: readonly string[] = [
  ...['press-1', 'press-2', 'press-3', 'press-4', 'oven-1', 'oven-2', 'oven-3', 'belt-1', 'belt-2', 'belt-3'],
  ...['meter-1', 'meter-2', 'meter-3', 'scada', 'historian', 'dashboard', 'maintenance', 'energy', 'quality', 'office'],
];

const AREAS = ['hall1', 'hall2', 'yard'];
const THINGS = ['press-1', 'press-2', 'oven-1', 'oven-2', 'belt-1', 'meter-1', 'meter-2'];
const LEAVES = ['temperature', 'state', 'alarm', 'cmd', 'energy/kwh', 'config/limits', 'log'];

/** An acl_file of 60 lines for the twenty users: own branches by pattern, areas by user, a few denies. */
export function siteAcl(random: Random): string {
  const lines = [
    '# What every machine may do below its own name.',
    'pattern write plant/%u/up/#',
    'pattern read plant/%u/down/#',
    'pattern readwrite clients/%c/state',
    'pattern read notices/#',
    'topic read public/#',
  ];
  for (const user of USERS) {
    lines.push(`user ${user}`);
    const area = pick(random, AREAS);
    lines.push(`topic read site/${area}/+/${pick(random, LEAVES)}`);
    lines.push(`topic ${pick(random, ['write', 'readwrite', 'read'])} site/${area}/${pick(random, THINGS)}/#`);
    if (random(3) > 0) lines.push(`topic deny site/${area}/${pick(random, THINGS)}/${pick(random, LEAVES)}`);
  }
  lines.push('user scada', 'topic readwrite site/#', 'topic read plant/#', 'topic read $SYS/broker/#');
  lines.push('user maintenance', 'topic readwrite $local/#', 'topic deny $local/safe', 'topic readwrite $SYS/#');
  lines.push('user historian', 'topic read site/#', 'topic read plant/+/up/#', 'topic deny site/+/+/cmd');
  return `${lines.join('\n')}\n`;
}

/** The ACL lines of a random set-up, in which rules cross one another as they like. */
export function wildAcl(random: Random): string {
  const lines: string[] = [];
  const line = (word: 'topic' | 'pattern') => {
    const access = pick(random, ['read', 'write', 'readwrite', 'deny', 'deny']);
    lines.push(`${word} ${access} ${wildFilter(random, word === 'pattern' ? ['%u', '%c', 'x%u', '%u-%c'] : [])}`);
  };
  for (let i = random(3); i > 0; i--) line('topic');
  for (const user of WILD_USERS) {
    if (random(4) === 0) continue;
    lines.push(`user ${user}`);
    for (let i = random(4); i > 0; i--) line('topic');
  }
  for (let i = random(4); i > 0; i--) line('pattern');
  return `${lines.join('\n')}\n`;
}

export const WILD_USERS = ['a', 'b', 'ab'];

function wildFilter(random: Random, more: readonly string[]): string {
  if (random(12) === 0) return '#';
  const level = () => pick(random, ['a', 'b', '+', 'ab', 'xa', '', ...more]);
  const levels = [random(12) === 0 ? '$a' : level()];
  while (random(3) > 0 && levels.length < 4) levels.push(level());
  if (random(3) === 0) levels.push('#');
  const filter = levels.join('/');
  return filter === '' ? 'a' : filter;
}

export function wildTopic(random: Random): string {
  const level = () => pick(random, ['a', 'b', 'ab', 'xa', 'xab', 'c', 'a-a', '']);
  const levels = [random(12) === 0 ? '$a' : level()];
  while (random(3) > 0 && levels.length < 4) levels.push(level());
  const topic = levels.join('/');
  return topic === '' ? 'a' : topic;
}

/** The filters of an acl_file: all of them, or those that are about a user, with the name filled in. */
export function aclFilters(acl: string, user?: string): string[] {
  let section: string | undefined;
  return acl.split('\n').flatMap((line) => {
    const [, word, filter = ''] = /^(topic|pattern) \S+ (.+)$/.exec(line) ?? [];
    if (line.startsWith('user ')) section = line.slice(5);
    if (word === undefined || (word === 'topic' && user !== undefined && section !== user)) return [];
    return [user === undefined ? filter : filter.replaceAll(/%[uc]/g, () => user)];
  });
}

/** Topics near what the filters are about: their wildcards filled, now and then with a level changed, added or lost. */
export function nearTopic(random: Random, filters: readonly string[], names: readonly string[]): string {
  const words = ['hall1', 'hall2', 'yard', 'temperature', 'cmd', 'state', 'alarm', 'x', ...names];
  const levels = pick(random, filters)
    .split('/')
    .flatMap((level): string[] => {
      if (level === '#')
        return random(3) === 0 ? [] : [pick(random, words), ...(random(2) === 0 ? [pick(random, words)] : [])];
      if (level === '+' || /%[uc]/.test(level)) return [pick(random, words)];
      return [level];
    });
  if (random(4) === 0 && levels.length > 0) levels[random(levels.length)] = pick(random, words);
  if (random(10) === 0) levels.push(pick(random, words));
  if (random(10) === 0 && levels.length > 1) levels.pop();
  return levels.join('/') || 'x';
}

/** A topic that begins with `$`, of those that the set-ups of sites speak of. */
export function dollarTopic(random: Random): string {
  return pick(random, [
    ...['$SYS/broker/x', '$SYS/broker/connection/b/state', '$SYS/x', '$SYSTEM'],
    ...['$local', '$local/a', '$local/safe', '$local/safe/x', '$local/a/b', '$other/a'],
  ]);
}

/** Dynamic security for the twenty users, 60 ACLs in twelve roles, four groups, as its administrators build it. */
export function siteSecurity(random: Random): SecurityDocument {
  const acl = (acltype: string, topic: string, allow = true, priority = 0): Acl => ({
    acltype,
    topic,
    priority,
    allow,
  });
  const roles = [
    ...AREAS.flatMap((area) => [
      {
        rolename: `${area}-viewer`,
        acls: [
          acl('subscribePattern', `site/${area}/#`),
          acl('publishClientReceive', `site/${area}/#`),
          acl('publishClientReceive', `site/${area}/+/config/#`, false, 5),
          acl('unsubscribePattern', '#'),
        ],
      },
      {
        rolename: `${area}-machine`,
        acls: [
          acl('publishClientSend', `site/${area}/+/temperature`),
          acl('publishClientSend', `site/${area}/+/state`),
          acl('publishClientSend', `site/${area}/${pick(random, THINGS)}/#`),
          acl('publishClientSend', `site/${area}/+/cmd`, false, 10),
          acl('subscribePattern', `site/${area}/+/cmd`),
          acl('subscribeLiteral', `site/${area}/all`),
        ],
      },
    ]),
    {
      rolename: 'operator',
      acls: [
        acl('publishClientSend', 'site/+/+/cmd'),
        acl('subscribePattern', 'site/#'),
        acl('subscribePattern', 'alarms/#'),
      ],
    },
    {
      rolename: 'alarms',
      acls: [
        acl('publishClientSend', 'alarms/+'),
        acl('subscribePattern', 'alarms/#'),
        acl('publishClientSend', '#', false, -1),
      ],
    },
    {
      rolename: 'notices',
      acls: [
        acl('subscribePattern', 'notices/#'),
        acl('subscribeLiteral', 'motd'),
        acl('publishClientSend', 'notices/read'),
      ],
    },
    {
      rolename: 'recorder',
      acls: [
        acl('subscribePattern', 'site/#'),
        acl('subscribePattern', 'plant/+/up/#'),
        acl('subscribeLiteral', 'plant/all/state'),
      ],
    },
    {
      rolename: 'tester',
      acls: [
        acl('publishClientSend', 'test/#'),
        acl('publishClientSend', 'test/frozen/#', false, 1),
        acl('subscribePattern', 'test/#'),
      ],
    },
    {
      rolename: 'service',
      acls: [
        acl('publishClientSend', '$local/#'),
        acl('publishClientSend', '$local/safe', false, 1),
        acl('subscribePattern', '$local/+'),
        acl('publishClientSend', '$SYS/#'),
        acl('subscribePattern', '$SYS/#'),
      ],
    },
    { rolename: 'closed', acls: [acl('publishClientSend', '#', false, -5), acl('subscribePattern', '#', false, -5)] },
  ];
  const granting = roles.map(({ rolename }) => rolename).filter((name) => name !== 'closed');
  return {
    defaultACLAccess: { publishClientSend: false, publishClientReceive: true, subscribe: false, unsubscribe: true },
    clients: USERS.map((username) => ({
      username,
      roles: [...new Set([pick(random, granting), pick(random, granting)])].map((rolename, i) => ({
        rolename,
        priority: 10 - i,
      })),
    })),
    groups: [
      ...['shift-a', 'shift-b', 'office', 'contractors'].map((groupname, i) => ({
        groupname,
        roles: [...new Set(['notices', pick(random, granting)])].map((rolename, at) => ({
          rolename,
          priority: 2 - at,
        })),
        clients: USERS.filter((_name, at) => at % 4 === i).map((username) => ({ username, priority: 1 })),
      })),
      // What is allowed nowhere else is denied, and said to be.
      {
        groupname: 'everyone',
        roles: [{ rolename: 'closed', priority: 0 }],
        clients: USERS.map((username) => ({ username, priority: -10 })),
      },
    ],
    roles,
  };
}

/** Dynamic security in which everything crosses everything. */
export function wildSecurity(random: Random): SecurityDocument {
  const types = ['publishClientSend', 'publishClientReceive', 'subscribeLiteral', 'subscribePattern'];
  const some = <T>(most: number, make: () => T): T[] => Array.from({ length: random(most + 1) }, make);
  const roles = ['r1', 'r2', 'r3'].map((rolename) => ({
    rolename,
    acls: some(5, () => ({
      acltype: pick(random, types),
      topic: wildFilter(random, []),
      priority: random(3),
      allow: random(2) === 0,
    })),
  }));
  const held = () =>
    ['r1', 'r2', 'r3'].filter(() => random(2) === 0).map((rolename) => ({ rolename, priority: random(3) }));
  const yes = () => random(3) === 0;
  return {
    defaultACLAccess: {
      publishClientSend: yes(),
      publishClientReceive: random(2) === 0,
      subscribe: yes(),
      unsubscribe: true,
    },
    clients: WILD_USERS.map((username) => ({ username, roles: held() })),
    groups: ['g1', 'g2'].map((groupname) => ({
      groupname,
      roles: held(),
      clients: WILD_USERS.filter(() => random(2) === 0).map((username) => ({ username, priority: random(3) })),
    })),
    roles,
  };
}
