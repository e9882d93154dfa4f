// Every command by its words. Only the one that is called is loaded.

import type { CommandFile } from '../command.ts';

export interface CommandRow {
  /** `noun` or `noun verb`. */
  readonly words: string;
  readonly says: string;
  readonly hidden?: boolean;
  readonly load: () => Promise<{ readonly command: CommandFile }>;
}

export const COMMANDS: readonly CommandRow[] = [
  {
    words: 'start',
    says: 'run the broker in the foreground; the first start makes CA and certificates',
    load: () => import('./start.ts'),
  },
  { words: 'authority', says: 'the process that keeps the CA', hidden: true, load: () => import('./authority.ts') },
  { words: 'status', says: 'does every listener accept connections?', load: () => import('./status.ts') },
  {
    words: 'demo',
    says: 'show on a running broker what is let in and what is refused',
    load: () => import('./demo.ts'),
  },
  {
    words: 'device add',
    says: 'enrol a device: writes its key, its certificate and the CA',
    load: () => import('./device-add.ts'),
  },
  { words: 'device list', says: 'the enrolled devices', load: () => import('./device-list.ts') },
  { words: 'device show', says: 'one device and its certificate', load: () => import('./device-show.ts') },
  { words: 'user add', says: 'somebody who logs in with a password', load: () => import('./user-add.ts') },
  { words: 'user passwd', says: 'a new password for a user', load: () => import('./user-passwd.ts') },
  { words: 'user list', says: 'who logs in with a password', load: () => import('./user-list.ts') },
  {
    words: 'user remove',
    says: 'remove a user, its connections and its sessions',
    load: () => import('./user-remove.ts'),
  },
  { words: 'token add', says: 'take the tokens (JWT) of an issuer', load: () => import('./token-add.ts') },
  { words: 'token list', says: 'whose tokens are taken, and which are not', load: () => import('./token-list.ts') },
  {
    words: 'token revoke',
    says: 'take no more a token, all tokens of a name, or of an issuer: what rests on them ends',
    load: () => import('./token-revoke.ts'),
  },
  { words: 'ca show', says: 'the CA, where its keys are, and who has not moved', load: () => import('./ca-show.ts') },
  {
    words: 'ca rotate',
    says: 'replace the CA: both trusted for a while, then the new one alone',
    load: () => import('./ca-rotate.ts'),
  },
  {
    words: 'device join',
    says: 'let devices ask without a token, for a while',
    load: () => import('./device-join.ts'),
  },
  {
    words: 'device requests',
    says: 'who waits for approval, and open tokens',
    load: () => import('./device-requests.ts'),
  },
  {
    words: 'device approve',
    says: 'give a device that waits its certificate',
    load: () => import('./device-approve.ts'),
  },
  { words: 'device deny', says: 'refuse a device that waits, or void a token', load: () => import('./device-deny.ts') },
  {
    words: 'enrol',
    says: 'on a device: a key, and a certificate for a token; renews it later',
    load: () => import('./enrol.ts'),
  },
  {
    words: 'device renew',
    says: 'one more certificate for a device; the earlier one stays good unless it is revoked',
    load: () => import('./device-renew.ts'),
  },
  {
    words: 'device revoke',
    says: 'take the certificates of a device away: all it has ends at once',
    load: () => import('./device-revoke.ts'),
  },
  {
    words: 'device remove',
    says: 'the same, and the name is forgotten',
    load: () => import('./device-remove.ts'),
  },
  { words: 'ca crl', says: "the CA's revocation list, PEM", load: () => import('./ca-crl.ts') },
  {
    words: 'policy show',
    says: 'who may do what: the policy in force, or an older one',
    load: () => import('./policy-show.ts'),
  },
  {
    words: 'policy check',
    says: 'read, judge and test a policy, and change nothing',
    load: () => import('./policy-check.ts'),
  },
  {
    words: 'policy diff',
    says: 'what a policy would change of the one in force',
    load: () => import('./policy-diff.ts'),
  },
  {
    words: 'policy apply',
    says: 'put a policy in force, at once and for everyone who is connected',
    load: () => import('./policy-apply.ts'),
  },
  {
    words: 'policy export',
    says: 'the policy into a file, as it was applied',
    load: () => import('./policy-export.ts'),
  },
  {
    words: 'access check',
    says: 'may a client publish, subscribe or receive this, and by which rule',
    load: () => import('./access-check.ts'),
  },
  {
    words: 'access diff',
    says: 'whose rights a policy would change, of those who are here',
    load: () => import('./access-diff.ts'),
  },
  {
    words: 'access who',
    says: 'who may publish or receive a topic',
    load: () => import('./access-who.ts'),
  },
  {
    words: 'policy learn',
    says: 'watch a client, and propose the narrowest rules that cover what it did',
    load: () => import('./policy-learn.ts'),
  },
  { words: 'who', says: 'every connection and session, live', load: () => import('./who.ts') },
  { words: 'client list', says: 'the same as `motte who`', load: () => import('./who.ts') },
  { words: 'client show', says: 'one connection or session', load: () => import('./client-show.ts') },
  { words: 'client kick', says: 'end the connections of a client', load: () => import('./client-kick.ts') },
  { words: 'why', says: 'who was refused, by which rule, and what to do', load: () => import('./why.ts') },
  { words: 'pub', says: 'publish one message', load: () => import('./pub.ts') },
  { words: 'sub', says: 'subscribe and print what comes', load: () => import('./sub.ts') },
  {
    words: 'backup',
    says: 'everything of a broker, running or not, in one encrypted file',
    load: () => import('./backup.ts'),
  },
  { words: 'restore', says: 'a data directory from a backup, or a look at one', load: () => import('./restore.ts') },
  {
    words: 'import mosquitto',
    says: 'configuration, users and policy from what mosquitto has, with a report',
    load: () => import('./import-mosquitto.ts'),
  },
  { words: 'config check', says: 'is the configuration right?', load: () => import('./config-check.ts') },
  { words: 'config show', says: 'the values in force, weaker ones marked', load: () => import('./config-show.ts') },
  { words: 'config schema', says: 'the JSON Schema of motte.yaml', load: () => import('./config-schema.ts') },
  { words: 'errors', says: 'what an error number means', load: () => import('./errors.ts') },
];

/** What a group of commands is about. */
export const NOUNS: Readonly<Record<string, string>> = {
  ca: 'the CA behind every certificate',
  device: 'enrolled devices',
  user: 'who logs in with a password',
  token: 'whose tokens prove who somebody is',
  client: 'connections and sessions',
  access: 'questions about rights',
  policy: 'roles, groups and tests: who may do what',
  config: 'motte.yaml',
  import: 'what another broker has',
};

/** Promised commands that this version does not have: they answer with MOT-0003 instead of "unknown". */
export const LATER: ReadonlySet<string> = new Set([
  ...['topology', 'ban', 'seal', 'firewall', 'vpn', 'gateway'],
  ...['audit', 'log', 'top', 'doctor', 'nethelper'],
  ...['config adopt'],
]);
