// What becomes of users and of what they may do: acl_file, password_file, dynamic-security.json.

import { describe, expect, it } from 'vitest';
import { NOW_MS, passwordLine } from './imported.ts';
import { entries, listenersOf, plan, TLS, WITH_PASSWORDS } from './planned.ts';

/** Of `correct horse battery`, by the reference implementation (Debian's argon2) with the parameters of mosquitto_passwd 2.1. */
const ARGON2ID =
  '$argon2id$v=19$m=47104,t=1,p=1$c2l4dGVlbiBieXRlcyBvZg$DuUOJcYsjqHEa1T6XKnXR5CN0C96rugtXyqFeXyXoFucKVVscMulcnL5PecnuPE7LKTub2cJZ55j+1+TDoaK9g';

describe('an acl_file', () => {
  const withAcl = (acl: string, users = ['ada', 'bob']) =>
    plan(`${WITH_PASSWORDS}listener 8884\n${TLS}`, { acl, passwd: users.map(passwordLine).join('\n') });

  it('becomes roles, with what is left out named', () => {
    const made = withAcl(
      'topic read public/#\r\nuser ada\ntopic read\ntopic write a b\ntopic deny home/safe\nuser eve\ntopic read x\npattern read in/%u/#\npattern write c/%c\n',
    );
    expect(made.policy).toContain("    - deny all home/safe\n    - allow all read\n    - allow publish 'a b'\n");
    expect(made.policy).toContain('    - allow subscribe in/${user}/#\n    - allow publish c/${client}\n');
    expect(made.policy).not.toContain('public');
    expect(made.identities.map(({ name, roles }) => [name, roles])).toEqual([
      ['ada', ['patterns', 'user-ada']],
      ['bob', ['patterns']],
    ]);
    expect(listenersOf(made)).toMatchObject([['mqtts-8884', expect.anything(), 'password', 'own']]);
    expect(entries(made, 'unsupported')).toContain('mosquitto.conf:3 rights of "eve"');
    expect(entries(made, 'changed')).toContain('acl:9 write c/%c -> ${client}');
  });

  it('with a name inside a level becomes a rule for each user', () => {
    const made = withAcl('pattern readwrite dev-%u/#\npattern deny dev-%u/key\n');
    expect(made.policy).toContain('  user-bob:\n    - deny all dev-bob/key\n    - allow all dev-bob/#\n');
    expect(made.policy).not.toContain('patterns');
  });

  it('gives nobody a right to publish below $SYS but that of a bridge, as mosquitto does', () => {
    const made = withAcl(
      'user ada\ntopic readwrite $SYS/#\ntopic write $SYS/x\ntopic write $SYSTEM/#\ntopic write $mine\n',
    );
    expect(made.policy).toContain(
      '  user-ada:\n    - allow subscribe $SYS/#\n    - allow publish $SYS/broker/connection/+/state\n    - allow publish $mine\n',
    );
    expect(entries(made, 'same')).toContain(
      'acl:3 allow publish $SYS/x -> left out: mosquitto lets nobody publish there',
    );
  });

  it('is told of line by line, also of those that come to nothing', () => {
    const made = withAcl(
      'user ada\ntopic write line/stop\ntopic deny $mine\npattern deny line/#\npattern write line/+\n',
    );
    expect(made.policy).not.toContain('$mine');
    expect(entries(made, 'same')).toContain('acl:3 deny $mine -> left out: nothing that it denies is allowed');
  });

  it('in which an allow stands before a deny keeps it for the user, in a role of its own', () => {
    const made = withAcl('user ada\ntopic write line/stop\npattern deny line/#\npattern write #\n');
    expect(made.identities[0]?.roles).toEqual(['user-ada']);
    expect(entries(made, 'changed')).toContain('acl:2 write line/stop -> allow line/stop');
    const resolved = withAcl('user ada\ntopic write line/#\npattern deny line/#\npattern write #\n');
    expect(resolved.policy).toContain('  user-ada:\n    - allow publish line/#\n    - "allow publish #"\n');
  });

  it.each([
    ['topic watch a\n', 1],
    ['user ada\ntopic read a/#/b\n', 2],
    ['user\n', 1],
    ['topic\n', 1],
    ['topics read a\n', 1],
    ['topic read a/${user}\n', 1],
    ['pattern deny $x/%c\n', 1],
  ])('%j is refused with its line', (acl, line) => {
    expect(() => withAcl(acl)).toThrow(
      expect.objectContaining({ code: 'MOT-1003', why: expect.stringMatching(new RegExp(`/acl:${line}: `)) }),
    );
  });

  it('is refused in a moment where its rules meet one another in more ways than can be looked at', () => {
    const lines = Array.from({ length: 9_000 }, (_, i) => `topic ${i % 2 === 0 ? 'deny' : 'read'} a/+/${i}`);
    expect(() => withAcl(`user ada\n${lines.join('\n')}\n`)).toThrow(expect.objectContaining({ code: 'MOT-1004' }));
  });

  it('with more rules than a policy holds is refused', () => {
    const lines = Array.from({ length: 10_001 }, (_, i) => `topic read a/${i}`);
    expect(() => withAcl(`user ada\n${lines.join('\n')}\n`)).toThrow(
      expect.objectContaining({ code: 'MOT-1004', why: expect.stringContaining('more than 10000 rules') }),
    );
  });
});

describe('a password_file', () => {
  it('gives users with its hashes; of a name that stands there twice the last line counts', () => {
    const second = passwordLine('ada').replace('$6$', '$7$101$');
    const made = plan(`password_file passwd\nlistener 8884\n${TLS}`, {
      passwd: `# users\n${passwordLine('ada')}\n\nno colon\nad/a:${passwordLine('x').slice(2)}\nbob:\n${second}:rest\n`,
    });
    expect(made.identities).toEqual([
      {
        realm: 'password',
        name: 'ada',
        kind: 'user',
        roles: ['everything'],
        state: 'active',
        addedAtMs: NOW_MS,
        verifier: { kind: 'mosquitto', hash: second.slice(4) },
      },
    ]);
    expect(entries(made, 'unsupported')).toEqual(expect.arrayContaining(['passwd:5 user "ad/a"', 'passwd:6 user bob']));
    expect(entries(made, 'changed')).toContain('passwd:7 user ada');
  });

  it('of mosquitto 2.1 gives users with argon2id, those that cost too much left out', () => {
    const costly = ARGON2ID.replace('m=47104', 'm=1048576');
    const made = plan(`password_file passwd\nlistener 8884\n${TLS}`, { passwd: `ada:${ARGON2ID}\nbob:${costly}\n` });
    expect(made.identities).toMatchObject([{ name: 'ada', verifier: { kind: 'argon2id', hash: ARGON2ID } }]);
    expect(entries(made, 'unsupported')).toContain('passwd:2 user bob');
  });
});

describe('dynamic security', () => {
  const secret = {
    salt: Buffer.alloc(12).toString('base64'),
    password: Buffer.alloc(64).toString('base64'),
    iterations: 101,
  };
  const withDocument = (document: object | string) =>
    plan(`plugin mosquitto_dynamic_security.so\nplugin_opt_config_file ds.json\nlistener 8884\n${TLS}`, {
      'ds.json': typeof document === 'string' ? document : JSON.stringify(document, null, '\t'),
    });
  const receiving = { publishClientSend: false, publishClientReceive: true, subscribe: false, unsubscribe: true };

  it('becomes users, roles and groups', () => {
    const made = withDocument({
      defaultACLAccess: receiving,
      clients: [
        { username: 'ada', roles: [{ rolename: 'device' }], ...secret },
        { username: 'bob', disabled: true, clientid: 'b1', ...secret },
        { username: 'cyd', encoded_password: ARGON2ID, ...secret },
        { username: 'dan', encoded_password: '$argon2id$v=19$m=1048576,t=9,p=1$c2FsdHNhbHQ$c2FsdHNhbHRzYWx0c2FsdA' },
        { username: 'eve', roles: [{ rolename: 'nowhere' }] },
      ],
      groups: [
        { groupname: 'line 1', roles: [{ rolename: 'admin' }], clients: [{ username: 'ada' }, { username: 'bob' }] },
      ],
      roles: [
        {
          rolename: 'device',
          acls: [
            { acltype: 'publishClientSend', topic: 'up/#', allow: true },
            { acltype: 'subscribeLiteral', topic: 'a/+', allow: true },
          ],
        },
        {
          rolename: 'admin',
          acls: [
            { acltype: 'publishClientSend', topic: '$CONTROL/dynamic-security/#', allow: true },
            { acltype: 'unsubscribePattern', topic: '#', allow: false },
          ],
        },
      ],
    });
    expect(made.policy).toContain('  device-2:\n    - allow subscribe a/+\n    - allow publish up/#\n  admin: []\n');
    expect(made.policy).toContain(
      '  line-1:\n    roles:\n      - admin\n    members:\n      - ada@password\n      - bob@password\n',
    );
    expect(made.identities).toMatchObject([
      {
        name: 'ada',
        roles: ['device-2'],
        state: 'active',
        verifier: { hash: `$7$101$${secret.salt}$${secret.password}` },
      },
      { name: 'bob', roles: [], state: 'disabled' },
      { name: 'cyd', verifier: { kind: 'argon2id', hash: ARGON2ID } },
    ]);
    expect(listenersOf(made)).toMatchObject([[expect.anything(), expect.anything(), 'password', 'own']]);
    expect(entries(made, 'changed')).toContainEqual(
      expect.stringMatching(/^ds\.json:[0-9]+ allow subscribeLiteral a\/\+ -> allow subscribe a\/\+$/),
    );
    expect(entries(made, 'unsupported').map((entry) => entry.replace(/:[0-9]+ /, ' '))).toEqual(
      expect.arrayContaining([
        'ds.json role nowhere',
        'ds.json client dan',
        'ds.json client eve',
        'ds.json allow publishClientSend $CONTROL/dynamic-security/#',
        'ds.json deny unsubscribePattern #',
      ]),
    );
  });

  it('lets subscribe to no more than may be sent', () => {
    const made = withDocument({
      defaultACLAccess: { ...receiving, publishClientReceive: false },
      clients: [{ username: 'ada', roles: [{ rolename: 'r' }], ...secret }],
      roles: [
        {
          rolename: 'r',
          acls: [
            { acltype: 'subscribePattern', topic: 'a/#', allow: true },
            { acltype: 'publishClientReceive', topic: '+/b/#', allow: true },
            { acltype: 'subscribePattern', topic: 'c', allow: true },
          ],
        },
      ],
    });
    expect(made.policy).toContain('  r:\n    - allow subscribe a/b/#\n');
    expect(entries(made, 'changed').filter((entry) => entry.includes('subscribePattern'))).toHaveLength(2);
  });

  it('what is sent by default is what begins with $ as well, where an ACL speaks of it', () => {
    const made = withDocument({
      defaultACLAccess: receiving,
      clients: [{ username: 'ada', roles: [{ rolename: 'r' }], ...secret }],
      roles: [{ rolename: 'r', acls: [{ acltype: 'subscribePattern', topic: '$mine/+', allow: true }] }],
    });
    expect(made.policy).toContain('  r:\n    - allow subscribe $mine/+\n');
  });

  it('gives those for whom the order of roles counts a role of their own', () => {
    const acl = (topic: string, allow: boolean) => ({ acltype: 'publishClientSend', topic, allow });
    const made = withDocument({
      defaultACLAccess: receiving,
      clients: ['ada', 'bob', 'eve'].map((username) => ({
        username,
        roles: [
          { rolename: 'first', priority: 2 },
          ...(username === 'eve' ? [] : [{ rolename: 'second', priority: 1 }]),
        ],
        ...secret,
      })),
      roles: [
        { rolename: 'first', acls: [acl('a/+', true)] },
        { rolename: 'second', acls: [acl('a/b', false), acl('#', true)] },
      ],
    });
    expect(made.identities.map(({ roles }) => roles)).toEqual([['client-ada'], ['client-ada'], ['first']]);
    expect(made.policy).toContain('  client-ada:\n    - allow publish a/+\n    - "allow publish #"\n');
  });

  it('of many clients with the same roles compares these once', () => {
    const acl = (topic: string, allow: boolean) => ({ acltype: 'publishClientSend', topic, allow });
    const acls = Array.from({ length: 200 }, (_, i) => acl(`a/${i}`, i % 2 === 0));
    const made = withDocument({
      defaultACLAccess: receiving,
      clients: Array.from({ length: 2_000 }, (_, i) => ({ username: `u${i}`, roles: [{ rolename: 'r' }], ...secret })),
      roles: [{ rolename: 'r', acls }],
    });
    expect(made.identities).toHaveLength(2_000);
  });

  it.each([
    ['{"clients": [{"password": "hunter2"', 'not a JSON document'],
    [`${'['.repeat(100_000)}${']'.repeat(100_000)}`, 'nested too deeply'],
    [
      '{"roles": [{"rolename": "r", "acls": [{"acltype": "publishClientSend", "topic": "${user}", "allow": true}]}]}',
      'placeholder',
    ],
  ])('%.30s… is refused without a word of it', (text, why) => {
    const refused = () => withDocument(text);
    expect(refused).toThrow(expect.objectContaining({ code: 'MOT-1003', why: expect.stringContaining(why) }));
    expect(refused).not.toThrow(/hunter2/);
  });
});
