// What mosquitto decides, by its documentation: acl_file as mosquitto.conf(5) has it, dynamic security as the plugin's page has
// it. Slow and plain, for tests alone; it shares nothing with the import but the questions.

export type Asked = 'publish' | 'receive';

/** True if the topic name is one of the filter's. */
export function matches(filter: string, topic: string): boolean {
  if ((filter[0] === '$') !== (topic[0] === '$')) return false;
  return levelsMatch(filter.split('/'), topic.split('/'));
}

function levelsMatch([first, ...rest]: readonly string[], topic: readonly string[]): boolean {
  if (first === '#') return true;
  if (first === undefined || topic.length === 0) return first === undefined && topic.length === 0;
  if (first !== '+' && first !== topic[0]) return false;
  // `a/#` is about `a` as well.
  if (topic.length === 1 && rest.length === 1 && rest[0] === '#') return true;
  return levelsMatch(rest, topic.slice(1));
}

export interface Asker {
  /** Undefined = it gave no user name. */
  readonly user: string | undefined;
  readonly clientId: string;
}

/** "The order is: deny of the user's own lines, what they allow; then the patterns, denies first." */
export function aclAllows(text: string, { user, clientId }: Asker, asked: Asked, topic: string): boolean {
  if (asked === 'publish' && isBrokersOwn(topic)) return false;
  const own: [access: string, filter: string][] = [];
  const patterns: [access: string, filter: string][] = [];
  let section: string | undefined;
  for (const line of text.split('\n')) {
    const [word = '', ...rest] = line.trim().split(' ');
    if (word === 'user') section = rest.join(' ');
    const [access, filter] = rest.length > 1 ? [rest[0] ?? '', rest.slice(1).join(' ')] : ['readwrite', rest[0] ?? ''];
    if (word === 'topic' && section === user) own.push([access, filter]);
    if (word === 'pattern' && !(filter.includes('%u') && user === undefined))
      patterns.push([access, filter.replaceAll('%u', user ?? '').replaceAll('%c', clientId)]);
  }
  for (const list of [own, patterns]) {
    const fitting = list.filter(([, filter]) => matches(filter, topic)).map(([access]) => access);
    if (fitting.includes('deny')) return false;
    const wanted = asked === 'publish' ? 'write' : 'read';
    if (fitting.some((access) => access === wanted || access === 'readwrite')) return true;
  }
  return false;
}

/** Below $SYS, and where anything begins like it, nobody publishes but a bridge its state. */
function isBrokersOwn(topic: string): boolean {
  return topic.startsWith('$SYS') && !matches('$SYS/broker/connection/+/state', topic);
}

export interface SecurityDocument {
  readonly defaultACLAccess: Readonly<Record<string, boolean>>;
  readonly clients: readonly { readonly username: string; readonly roles: readonly Held[] }[];
  readonly groups: readonly {
    readonly groupname: string;
    readonly roles: readonly Held[];
    readonly clients: readonly { readonly username: string; readonly priority?: number }[];
  }[];
  readonly roles: readonly { readonly rolename: string; readonly acls: readonly Acl[] }[];
}

interface Held {
  readonly rolename: string;
  readonly priority?: number;
}

export interface Acl {
  readonly acltype: string;
  readonly topic: string;
  readonly priority: number;
  readonly allow: boolean;
}

/** `subscribe` asks about a filter, the others about a topic name. */
export function securityAllows(
  document: SecurityDocument,
  user: string,
  asked: Asked | 'subscribe',
  topic: string,
): boolean {
  if (asked === 'publish' && isBrokersOwn(topic)) return false;
  const client = document.clients.find(({ username }) => username === user);
  if (client === undefined) return false;
  const groups = document.groups
    .flatMap((group) => {
      const member = group.clients.find(({ username }) => username === user);
      return member === undefined ? [] : [{ ...group, priority: member.priority ?? -1 }];
    })
    .sort((a, b) => b.priority - a.priority || (a.groupname < b.groupname ? -1 : 1));
  for (const held of [client.roles, ...groups.map(({ roles }) => roles)]) {
    for (const { rolename } of inOrder(held)) {
      const acls = document.roles.find((role) => role.rolename === rolename)?.acls ?? [];
      const answer = firstOf(
        [...acls].sort((a, b) => b.priority - a.priority),
        asked,
        topic,
      );
      if (answer !== undefined) return answer;
    }
  }
  if (topic.startsWith('$CONTROL')) return false;
  return document.defaultACLAccess[DEFAULTS[asked]] === true;
}

function inOrder(held: readonly Held[]): Held[] {
  const priority = (one: Held) => one.priority ?? -1;
  return [...held].sort((a, b) => priority(b) - priority(a) || (a.rolename < b.rolename ? -1 : 1));
}

function firstOf(acls: readonly Acl[], asked: Asked | 'subscribe', topic: string): boolean | undefined {
  if (asked !== 'subscribe') {
    const type = asked === 'publish' ? 'publishClientSend' : 'publishClientReceive';
    return acls.find((acl) => acl.acltype === type && matches(acl.topic, topic))?.allow;
  }
  const literal = acls.find((acl) => acl.acltype === 'subscribeLiteral' && acl.topic === topic);
  if (literal !== undefined) return literal.allow;
  return acls.find((acl) => acl.acltype === 'subscribePattern' && coversFilter(acl.topic, topic))?.allow;
}

/** True if the filter asks for nothing but what the ACL's topic covers. */
export function coversFilter(acl: string, filter: string): boolean {
  if (acl === '#') return true;
  const [outer, inner] = [acl.split('/'), filter.split('/')];
  const isOpen = outer.at(-1) === '#';
  const wanted = isOpen ? outer.slice(0, -1) : outer;
  const given = inner.at(-1) === '#' ? inner.slice(0, -1) : inner;
  if (inner.at(-1) === '#' && !isOpen) return false;
  if (given.length < wanted.length || (given.length > wanted.length && !isOpen)) return false;
  return wanted.every((level, i) => level === '+' || level === given[i]);
}

const DEFAULTS = { publish: 'publishClientSend', receive: 'publishClientReceive', subscribe: 'subscribe' } as const;
