// What becomes of mosquitto.conf: which listeners are opened and how, what arrives shut, which settings are kept.

import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { parseText } from '../../packages/motte/src/config/config.ts';
import { renderReport } from '../../packages/motte/src/import/report.ts';
import { passwordLine } from './imported.ts';
import { entries, folder, listenersOf, plan, TLS, WITH_PASSWORDS } from './planned.ts';

describe('a listener', () => {
  it('with TLS and passwords is the same', () => {
    const made = plan(`${WITH_PASSWORDS}listener 8884 10.0.0.1\nmax_connections 50\n${TLS}`);
    expect(listenersOf(made)).toEqual([['mqtts-8884', 'mqtts://10.0.0.1:8884', 'password', 'any']]);
    expect(made.config).toContain('maxConnections: 50');
  });

  it('with passwords in the clear becomes a socket of this host with a dated waiver, and an encrypted one', () => {
    const made = plan(`${WITH_PASSWORDS}listener 1883\n`);
    expect(listenersOf(made)).toEqual([
      ['mqtt-1883-local', 'mqtt+unix:///srv/motte/run/mqtt-1883.sock', 'password', 'any'],
      ['mqtts-8883', 'mqtts://0.0.0.0:8883', 'password', 'any'],
    ]);
    expect(made.config).toContain('until: "2026-04-01"');
    expect(made.config).toContain('  # - { name: "mqtt-1883", url: "mqtt://0.0.0.0:1883"');
    expect(entries(made, 'insecure')).toEqual([
      'mosquitto.conf:3 mqtt://0.0.0.0:1883 -> mqtt+unix:///srv/motte/run/mqtt-1883.sock',
    ]);
  });

  it('that lets in everybody arrives as a comment with its waiver and a role of its own', () => {
    const made = plan('acl_file acl\nallow_anonymous true\nlistener 1883 127.0.0.1\n');
    expect(listenersOf(made)).toEqual([]);
    expect(made.config).toContain('listeners: []');
    expect(made.config).toMatch(
      /# - \{ name: "mqtt-1883-anonymous", .*authentication: "none", waiver: .*role: "anonymous" \}/,
    );
    expect(made.policy).toMatch(/anonymous:\n {4}listenerOnly: true\n {4}rules:\n {6}- allow subscribe nothing\n/);
  });

  it('is the one on loopback for everybody where the file opens none', () => {
    const made = plan('password_file passwd\n');
    expect(made.config).toContain('mqtt://127.0.0.1:1883');
    expect(entries(made, 'insecure').at(-1)).toContain('allow_anonymous on listener 1883 localhost');
  });

  it.each([
    ['a mount point', `${TLS}mount_point floor/`, 'all topics'],
    ['the port of the console', '', 'port 8443'],
  ])('with %s stays shut', (what, lines, why) => {
    const port = what.startsWith('the') ? 8443 : 8899;
    const made = plan(`${WITH_PASSWORDS}listener ${port}\n${lines || TLS}\n`);
    expect(listenersOf(made)).toEqual([]);
    expect(renderReport(made.report).join('\n')).toContain(why);
  });

  it('bound to an interface opens on loopback alone', () => {
    const made = plan(`${WITH_PASSWORDS}listener 8884\nbind_interface eth1\n${TLS}`);
    expect(listenersOf(made)).toMatchObject([['mqtts-8884', 'mqtts://127.0.0.1:8884', 'password', 'any']]);
  });

  it('for web sockets and one on a Unix socket keep what they are', () => {
    const made = plan(`${WITH_PASSWORDS}listener 9001\nprotocol websockets\n${TLS}listener 0 /run/m.sock\n`);
    expect(listenersOf(made)).toEqual([
      ['wss-9001', 'wss://0.0.0.0:9001/mqtt', 'password', 'any'],
      ['socket-m.sock', 'mqtt+unix:///run/m.sock', 'password', 'any'],
    ]);
  });

  it('of an address that another has, or that is none, stays shut', () => {
    const made = plan(
      `${WITH_PASSWORDS}listener 8884\n${TLS}listener 8884\n${TLS}listener 0 /run/with?mark\nlistener 0 m.sock\n`,
      {},
      join(folder(), 'conf'),
    );
    expect(listenersOf(made).map(([name]) => name)).toEqual(['mqtts-8884', 'socket-m.sock']);
    expect(entries(made, 'unsupported')).toEqual(
      expect.arrayContaining(['mosquitto.conf:6 mqtts://0.0.0.0:8884', 'mosquitto.conf:9 mqtt+unix:///run/with?mark']),
    );
  });

  it('that demands certificates gives their names what the rules say of them', () => {
    const made = plan(
      `acl_file acl\nlistener 8884\n${TLS}cafile ca.crt\ncrlfile ca.crl\nrequire_certificate true\nuse_identity_as_username true\n`,
      {
        'ca.crt': 'x',
        'ca.crl': 'x',
        acl: 'pattern write up/%u/#\nuser pump-1\ntopic read down\nuser no/name\ntopic read x\n',
      },
    );
    expect(listenersOf(made)).toEqual([['mqtts-8884', 'mqtts://0.0.0.0:8884', 'certificate', 'any']]);
    expect(made.config).toContain('roles: ["patterns"]');
    expect(made.config).toMatch(/crl:\n {4}- \{ ca: "mosquitto", file: ".*ca\.crl" \}/);
    expect(made.policy).toContain('allow publish up/${device}/#');
    expect(made.policy).toMatch(
      /certified-mosquitto:\n {4}roles:\n {6}- patterns\n {6}- user-pump-1\n {4}members:\n {6}- pump-1@ca:mosquitto\n/,
    );
  });

  it('that demands certificates of nobody known, or without taking their names, gives no right', () => {
    const without = plan(`${WITH_PASSWORDS}listener 8884\n${TLS}cafile nowhere.crt\nrequire_certificate true\n`);
    expect(listenersOf(without)).toEqual([]);
    const unnamed = plan(`${WITH_PASSWORDS}listener 8884\n${TLS}cafile ca.crt\nrequire_certificate true\n`, {
      'ca.crt': 'x',
    });
    expect(unnamed.config).toContain('roles: ["certified"]');
    expect(unnamed.policy).toContain('certified: []');
  });

  it('for pre-shared keys takes over those of 32 bytes', () => {
    const made = plan('acl_file acl\npsk_file psk\nlistener 8884\npsk_hint hi\nuse_identity_as_username true\n', {
      psk: `pump-1:${'ab'.repeat(32)}\npump-2:${'ab'.repeat(16)}\npump-3:xyz\n`,
      acl: 'pattern readwrite x/%u\n',
    });
    expect(listenersOf(made)).toEqual([['mqtts-8884', 'mqtts://0.0.0.0:8884', 'psk', 'any']]);
    expect(made.identities).toMatchObject([
      {
        realm: 'psk',
        name: 'pump-1',
        kind: 'device',
        roles: ['patterns'],
        verifier: { kind: 'psk', key: Buffer.alloc(32, 0xab).toString('base64') },
      },
    ]);
    expect(entries(made, 'unsupported')).toEqual(['psk:2 pre-shared key of pump-2', 'psk:3 pre-shared key of pump-3']);
  });

  it('of its own users and rules has them over itself alone', () => {
    const made = plan(
      `per_listener_settings true\nlistener 8884\n${TLS}password_file passwd\nacl_file acl\nlistener 8885\n${TLS}password_file other\nacl_file other-acl\n`,
      { acl: 'user ada\ntopic read a/#\n', other: `${passwordLine('bob')}\n`, 'other-acl': 'pattern read b/%u\n' },
    );
    expect(made.identities.map(({ name, roles }) => [name, roles])).toEqual([
      ['ada', ['user-ada']],
      ['bob', ['patterns']],
    ]);
    expect(made.policy).toContain('allow subscribe a/# via mqtts-8884');
    expect(made.policy).toContain('allow subscribe b/${user} via mqtts-8885');
    expect(entries(made, 'changed')).toContainEqual(expect.stringContaining('each has users of its own'));
  });
});

describe('mosquitto.conf', () => {
  it('includes files in the order of mosquitto, each beginning with the default listener', () => {
    const at = folder();
    const made = plan(
      `listener 8884\n${TLS}include_dir conf.d\npassword_file passwd\n`,
      {
        'conf.d/B.conf': 'acl_file acl\nport 1999\n',
        'conf.d/a.conf': 'max_queued_messages 5\ninclude_dir more\n',
        'conf.d/b.txt': 'nonsense\n',
        'conf.d/_.conf': 'max_queued_messages 7\nwobble 1\n',
      },
      at,
    );
    expect(listenersOf(made).map(([name]) => name)).toEqual(['mqtts-8884', 'mqtt-1999-local']);
    expect(parseText(made.config, 'x').limits).toMatchObject({ queueMessagesMax: 7 });
    expect(entries(made, 'unsupported')).toContain('a.conf:2 include_dir');
    expect(entries(made, 'unsupported')).toContain('_.conf:2 wobble');
  });

  it('that includes itself is read no second time by itself', () => {
    const made = plan(`include_dir .\nmax_keepalive 600\nallow_anonymous false\nlistener 8884\n${TLS}`);
    expect(entries(made, 'unsupported')).toContain('mosquitto.conf:1 include_dir');
    expect(parseText(made.config, 'x').limits).toMatchObject({ keepAliveSecondsMax: 600 });
  });

  it('keeps its bounds where they mean something', () => {
    const conf = 'max_packet_size 2000\nmax_inflight_messages 0\nmax_keepalive 600\npersistent_client_expiration 2w\n';
    const made = plan(`${conf}${WITH_PASSWORDS}listener 8884\n${TLS}`);
    expect(parseText(made.config, 'x').limits).toMatchObject({
      packetBytesMax: 2000,
      receiveMaximum: 100,
      keepAliveSecondsMax: 600,
      sessionExpirySecondsMax: 1_209_600,
    });
  });

  it('that forbids retained messages or a QoS has that behind each right to publish', () => {
    const made = plan(`retain_available false\n${WITH_PASSWORDS}listener 8884\nmax_qos 1\n${TLS}`, {
      acl: 'user ada\ntopic readwrite a\n',
    });
    expect(made.policy).toContain('- allow publish a qos<=1 no-retain\n    - allow subscribe a\n');
  });

  it('with a plugin that nobody knows gives nobody a role', () => {
    const made = plan(
      `plugin /usr/lib/own.so\nplugin_opt_dsn postgres://u:hunter2@x\npassword_file passwd\nlistener 8884\n${TLS}`,
    );
    expect(made.identities).toMatchObject([{ name: 'ada', roles: [] }]);
    expect(entries(made, 'unsupported')).toContain('mosquitto.conf:1 plugin');
  });

  it('shows no secret, neither in the report nor in what is written', () => {
    const secrets = ['hunter2', 'hunter3', 'hunter4', 'hunter5', 'ab'.repeat(16), 'plain-text-secret'];
    const made = plan(
      `connection up\naddress x\nremote_password ${secrets[0]}\nbridge_psk ${secrets[1]}\nauth_opt_pass ${secrets[2]}\npasword_file ${secrets[3]}\npsk_file psk\n${WITH_PASSWORDS}listener 8884\n${TLS}`,
      { passwd: `ada:${secrets[5]}\n`, psk: `p:${secrets[4]}\n` },
    );
    const all = JSON.stringify([made.report.entries, renderReport(made.report), made.config, made.policy]);
    for (const secret of secrets) expect(all).not.toContain(secret);
    expect(entries(made, 'unsupported')).toContain('mosquitto.conf:1 connection');
    expect(entries(made, 'unsupported')).toContain('passwd:1 user ada');
  });

  it.each([
    ['listener\n', 1, 'listener has no value'],
    ['\nlistener 70000\n', 2, '1 to 65535'],
    ['listener 0\n', 1, 'Unix socket'],
    ['acl_file acl\nacl_file acl\n', 2, 'stands there twice'],
    ['plugin mosquitto_dynamic_security.so\n', 1, 'plugin_opt_config_file'],
    ['acl_file acl\nplugin mosquitto_dynamic_security.so\nplugin_opt_config_file x\n', 1, 'which of them decides'],
  ])('%j is refused with its line', (conf, line, why) => {
    const at = folder();
    expect(() => plan(conf, {}, at)).toThrow(
      expect.objectContaining({ code: 'MOT-1003', why: expect.stringContaining(`${at}/mosquitto.conf:${line}: `) }),
    );
    expect(() => plan(conf, {}, at)).toThrow(expect.objectContaining({ why: expect.stringContaining(why) }));
  });
});
