// dynamic-security.json, what the plugin of that name keeps: clients, groups, roles with their ACLs, what holds where no ACL
// matches. Read as mosquitto 2.0 does; what it passes over is reported.

import { MotteError } from '@motte/admin/errors';
import { verifierOfMosquitto } from '@motte/broker/verifiers';
import { PLACEHOLDER, PLACEHOLDER_FAULT } from './draft-policy.ts';
import { IMPORT_LIMITS } from './limits.ts';
import { type Located, parseLocatedJson } from './located-json.ts';
import type { ImportReport } from './report.ts';
import { type Place, readSource, SourceRefused } from './source.ts';

export const ACL_TYPES = [
  'publishClientSend',
  'publishClientReceive',
  'subscribeLiteral',
  'subscribePattern',
  'unsubscribeLiteral',
  'unsubscribePattern',
] as const;
export type AclType = (typeof ACL_TYPES)[number];

export interface DynAcl {
  readonly type: AclType;
  readonly topic: string;
  readonly effect: 'allow' | 'deny';
  readonly place: Place;
}

export interface DynRole {
  readonly name: string;
  readonly place: Place;
  /** The highest priority first; of one priority as they stand. */
  readonly acls: readonly DynAcl[];
}

export interface DynClient {
  readonly name: string;
  readonly place: Place;
  /** As mosquitto_passwd writes hashes; undefined = it cannot log in by password. */
  readonly hash: string | undefined;
  readonly clientId: string | undefined;
  readonly isDisabled: boolean;
  /** In the order in which they are asked. */
  readonly roles: readonly DynRole[];
  readonly groups: readonly DynGroup[];
}

export interface DynGroup {
  readonly name: string;
  readonly place: Place;
  readonly roles: readonly DynRole[];
}

export interface DynamicSecurity {
  readonly clients: ReadonlyMap<string, DynClient>;
  readonly groups: ReadonlyMap<string, DynGroup>;
  readonly roles: ReadonlyMap<string, DynRole>;
  readonly anonymousGroup: DynGroup | undefined;
  /** What holds where no ACL matches. */
  readonly allowsByDefault: {
    readonly [what in 'publishClientSend' | 'publishClientReceive' | 'subscribe' | 'unsubscribe']: boolean;
  };
  readonly defaultsPlace: Place;
}

/** Throws MOT-1002, MOT-1004, and SourceRefused for what is not such a document. */
export function readDynamicSecurity(path: string, report: ImportReport): DynamicSecurity {
  const document = parseLocatedJson(readSource(path, IMPORT_LIMITS.dynamicSecurityBytesMax), path);
  return new Reading(report).read(document);
}

interface Ranked<T> {
  readonly priority: number;
  readonly value: T;
}

class Reading {
  readonly #report: ImportReport;

  constructor(report: ImportReport) {
    this.#report = report;
  }

  read(document: Located): DynamicSecurity {
    const roles = this.#named(document.get('roles'), 'rolename', 'role', (one, name) => this.#role(one, name));
    const members = new Map<string, Ranked<DynGroup>[]>();
    const groups = this.#named(document.get('groups'), 'groupname', 'group', (one, name) => {
      const group = { name, place: one.place, roles: this.#rolesOf(one, roles) };
      for (const client of one.get('clients').items) {
        const username = client.get('username').text ?? '';
        const held = members.get(username) ?? [];
        members.set(username, [...held, { priority: client.get('priority').integer ?? -1, value: group }]);
      }
      return group;
    });
    const clients = this.#named(document.get('clients'), 'username', 'client', (one, name) =>
      this.#client(one, name, roles, members.get(name) ?? []),
    );
    if (clients.size > IMPORT_LIMITS.peopleMax)
      throw new MotteError('MOT-1004', `${document.place.file}: more than ${IMPORT_LIMITS.peopleMax} clients`);
    const anonymous = document.get('anonymousGroup');
    const anonymousGroup = groups.get(anonymous.text ?? '');
    if (anonymous.text !== undefined && anonymousGroup === undefined)
      this.#report.unsupported(anonymous.place, `anonymousGroup ${anonymous.text}`, 'there is no such group');
    const defaults = document.get('defaultACLAccess');
    return {
      clients,
      groups,
      roles,
      anonymousGroup,
      allowsByDefault: {
        publishClientSend: defaults.get('publishClientSend').boolean === true,
        publishClientReceive: defaults.get('publishClientReceive').boolean === true,
        subscribe: defaults.get('subscribe').boolean === true,
        unsubscribe: defaults.get('unsubscribe').boolean === true,
      },
      defaultsPlace: defaults.place,
    };
  }

  #named<T>(list: Located, key: string, what: string, read: (one: Located, name: string) => T): Map<string, T> {
    const found = new Map<string, T>();
    for (const one of list.items) {
      const name = one.get(key).text;
      if (name === undefined) this.#report.unsupported(one.place, `a ${what}`, `it has no ${key}`);
      else {
        if (found.has(name))
          this.#report.changed(one.place, `${what} ${name}`, undefined, 'it stands there before: the last counts');
        found.set(name, read(one, name));
      }
    }
    return found;
  }

  #role(one: Located, name: string): DynRole {
    const acls: Ranked<DynAcl>[] = [];
    for (const acl of one.get('acls').items) {
      const given = acl.get('acltype').text ?? '';
      const type = ACL_TYPES.find((known) => known.toLowerCase() === given.toLowerCase());
      const topic = acl.get('topic').text;
      if (type === undefined || topic === undefined) {
        this.#report.unsupported(
          acl.place,
          `an ACL of ${name}`,
          type === undefined ? 'its type is not known' : 'it has no topic',
        );
        continue;
      }
      if (topic.includes(PLACEHOLDER)) throw new SourceRefused([{ place: acl.place, why: PLACEHOLDER_FAULT }]);
      if (topic === '') throw new SourceRefused([{ place: acl.place, why: 'a topic is empty' }]);
      const effect = acl.get('allow').boolean === true ? 'allow' : 'deny';
      acls.push({ priority: acl.get('priority').integer ?? 0, value: { type, topic, effect, place: acl.place } });
    }
    return { name, place: one.place, acls: ranked(acls) };
  }

  #client(
    one: Located,
    name: string,
    roles: ReadonlyMap<string, DynRole>,
    groups: readonly Ranked<DynGroup>[],
  ): DynClient {
    const [salt, password, iterations] = [
      one.get('salt').text,
      one.get('password').text,
      one.get('iterations').integer,
    ];
    // Since 2.1 it writes the whole of it, and takes that before its parts.
    const hash = one.get('encoded_password').text ?? `$7$${iterations}$${salt}$${password}`;
    return {
      name,
      place: one.place,
      hash: verifierOfMosquitto(hash) === undefined ? undefined : hash,
      clientId: one.get('clientid').text,
      isDisabled: one.get('disabled').boolean === true,
      roles: this.#rolesOf(one, roles),
      groups: ranked(groups, byName),
    };
  }

  #rolesOf(one: Located, roles: ReadonlyMap<string, DynRole>): DynRole[] {
    const held: Ranked<DynRole>[] = [];
    for (const item of one.get('roles').items) {
      const name = item.get('rolename').text ?? '';
      const role = roles.get(name);
      if (role === undefined) this.#report.unsupported(item.place, `role ${name}`, 'there is no such role');
      else if (!held.some(({ value }) => value === role))
        held.push({ priority: item.get('priority').integer ?? -1, value: role });
    }
    return ranked(held, byName);
  }
}

/** The highest priority first; what has the same by `tie`, else as it stood. */
function ranked<T>(list: readonly Ranked<T>[], tie: (a: T, b: T) => number = () => 0): T[] {
  return [...list].sort((a, b) => b.priority - a.priority || tie(a.value, b.value)).map(({ value }) => value);
}

function byName(a: { readonly name: string }, b: { readonly name: string }): number {
  return Buffer.compare(Buffer.from(a.name), Buffer.from(b.name));
}
