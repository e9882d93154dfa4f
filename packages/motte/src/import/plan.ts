// What an import would write, and the report on it. Nothing here writes.

import { statSync } from 'node:fs';
import { join } from 'node:path';
import { MotteError } from '@motte/admin/errors';
import type { RegisteredIdentity } from '@motte/broker/ports/directory';
import { PSK_REALM } from '@motte/broker/ports/identity';
import { PASSWORD_REALM } from '@motte/broker/ports/users';
import { said } from '../data/said.ts';
import { readAclFile } from './acl-file.ts';
import { aclRights, openRights } from './acl-roles.ts';
import { isTrue, type MosquittoConf, pathOf, type Scope, settleConf } from './conf.ts';
import { readConf } from './conf-lines.ts';
import { type Conditions, DraftPolicy } from './draft-policy.ts';
import { draftTests, type TestedScope } from './draft-tests.ts';
import { dynamicRights } from './dynamic-roles.ts';
import { limitsSection, publishingConditions } from './limits-section.ts';
import { ListenerPlan, type PlannedDoor } from './listeners.ts';
import { Members } from './members.ts';
import { readPasswordFile, readPskFile, type Secret } from './password-file.ts';
import { People } from './people.ts';
import { dynamicSecurityOf, withholdsRoles } from './plugins.ts';
import { renderConfig } from './render-config.ts';
import { renderDraft } from './render-draft.ts';
import { ImportReport } from './report.ts';
import type { Rights } from './rights.ts';
import { tlsVersion } from './tls-version.ts';

export interface ImportPlan {
  /** Of mosquitto.conf. */
  readonly source: string;
  /** motte.yaml. */
  readonly config: string;
  /** policy.yaml. */
  readonly policy: string;
  readonly identities: readonly RegisteredIdentity[];
  readonly report: ImportReport;
  readonly nowMs: number;
}

export interface PlanOptions {
  /** mosquitto.conf, or the directory that it is in; absolute. */
  readonly path: string;
  /** The data directory that it is for, absolute. */
  readonly data: string;
  readonly nowMs: number;
}

/** Throws MOT-1002 to MOT-1004. */
export function planImport(options: PlanOptions): ImportPlan {
  return new Planning(options).plan();
}

class Planning {
  readonly #options: PlanOptions;
  readonly #report = new ImportReport();
  readonly #policy = new DraftPolicy(this.#report);
  readonly #people: People;
  readonly #tested: TestedScope[] = [];

  constructor(options: PlanOptions) {
    this.#options = options;
    this.#people = new People(this.#report, options.nowMs);
  }

  plan(): ImportPlan {
    const source = confPath(this.#options.path);
    const report = this.#report;
    const conf = settleConf(readConf(source, report), report);
    const until = new Date(this.#options.nowMs + WAIVER_MS).toISOString().slice(0, 10);
    const listeners = new ListenerPlan({ conf: source, data: this.#options.data, until, report }, conf.scopes);
    const certified = new Set<string>();
    const doors = conf.scopes.flatMap((scope) => this.#scope(scope, { conf, source, listeners, certified }));
    const [first, second] = conf.scopes;
    if (first !== undefined && second !== undefined) {
      const place = second.listeners[0]?.place ?? { file: source, line: 1 };
      const why = 'whoever may log in at one may connect to all, and has no right there';
      report.changed(place, 'listeners of which each has users of its own', 'rules with `via`', why);
    }
    for (const place of conf.bridges)
      report.unsupported(place, 'connection', 'Motte has no bridges: no message goes to the other broker');
    const prefixes = conf.settings.get('clientid_prefixes');
    if (prefixes !== undefined) {
      const why = 'client ids of Motte belong to names';
      report.changed(prefixes.place, prefixes.key, 'client ids of NAME or NAME/anything', why);
    }
    const limits = limitsSection(conf, report);
    const config = renderConfig({
      doors,
      certificates: listeners.certificates,
      limits,
      certified: [...certified],
      source,
      minVersion: tlsVersion(conf, report),
      report,
    });
    return {
      source,
      config,
      policy: renderDraft(this.#policy, source, this.#tests(source)),
      identities: this.#people.identities,
      report,
      nowMs: this.#options.nowMs,
    };
  }

  #tests(source: string): string[] {
    const { groups, roles } = this.#policy;
    const held = new Map<string, Set<string>>();
    const give = (who: string, given: readonly string[]): void => {
      const all = held.get(who) ?? held.set(who, new Set()).get(who);
      for (const role of given) if (roles.has(role)) all?.add(role);
    };
    for (const { name, realm, roles: given } of this.#people.identities) give(`${name}@${realm}`, given);
    for (const group of groups.values()) for (const who of group.members) give(who, group.roles);
    const holders = [...held].map(([who, given]) => ({ who, name: who.slice(0, who.indexOf('@')), roles: [...given] }));
    return draftTests(this.#policy, this.#tested, holders, (tests) => renderDraft(this.#policy, source, tests));
  }

  #scope(
    scope: Scope,
    at: { conf: MosquittoConf; source: string; listeners: ListenerPlan; certified: Set<string> },
  ): PlannedDoor[] {
    const { conf, source, listeners, certified } = at;
    const report = this.#report;
    const fileOf = (key: string) => {
      const line = scope.settings.get(key);
      return line === undefined ? undefined : pathOf(source, line);
    };
    const dynamic = dynamicSecurityOf(scope, source, report);
    const [passwordFile, pskFile, aclFile] = [fileOf('password_file'), fileOf('psk_file'), fileOf('acl_file')];
    const users = passwordFile === undefined ? new Map<string, Secret>() : readPasswordFile(passwordFile, report);
    const keys = pskFile === undefined ? new Map<string, Secret>() : readPskFile(pskFile, report);
    const ways = { passwords: passwordFile !== undefined || dynamic !== undefined, keys: pskFile !== undefined };
    const doors = listeners.doorsOf(scope, ways);
    const proven = doors.filter(({ listener }) => listener.authentication !== 'none');
    const conditions: Conditions = {
      via: conf.scopes.length === 1 ? undefined : doors.map(({ listener }) => listener.name),
      publishing: publishingConditions(conf, scope, report),
    };
    const parts = {
      policy: this.#policy,
      report,
      conditions,
      people: {
        users: proven.some(({ listener }) => listener.authentication === 'password'),
        devices: proven.some(({ listener }) => listener.authentication !== 'password'),
        names: proven.some(({ listener }) => listener.authentication === 'certificate')
          ? undefined
          : [...new Set([...users.keys(), ...keys.keys()])],
      },
      allowsAnonymous: scope.allowsAnonymous,
    };
    const place = scope.listeners[0]?.place ?? { file: source, line: 1 };
    const before = new Set(this.#policy.roles.keys());
    const rights =
      dynamic !== undefined
        ? dynamicRights(dynamic, parts)
        : aclFile === undefined
          ? openRights(place, parts)
          : aclRights(readAclFile(aclFile), parts);
    const made = [...this.#policy.roles.values()].filter(
      ({ name, listenerOnly }) => !listenerOnly && !before.has(name),
    );
    this.#tested.push({ roles: made.map(({ name }) => name), rights, via: conditions.via?.[0] });
    this.#settleDoors(doors, rights, { conf, scope });
    const given = withholdsRoles(scope, place, report) ? NOTHING : rights;
    const rolesOf = (name: string) => given.rolesOf(name);
    const members = new Members(this.#policy, report);
    if (dynamic !== undefined) members.add(this.#people.addClients(dynamic, rolesOf), PASSWORD_REALM);
    members.add(this.#people.addUsers(users, rolesOf), PASSWORD_REALM);
    const keysSpeak = proven.some(({ listener, provesName }) => listener.authentication === 'psk' && provesName);
    const devices = this.#people.addKeys(keys, (name) => (keysSpeak ? rolesOf(name) : []));
    if (keysSpeak) members.add(devices, PSK_REALM);
    members.addCertified(doors, given, certified);
    members.addGroups(given, { file: this.#options.path, line: 1 });
    members.tellNobodys(given, place);
    return doors;
  }

  /** Client ids and the roles of doors, once it is known which rights there are. */
  #settleDoors(
    doors: readonly PlannedDoor[],
    rights: Rights,
    { conf, scope }: { conf: MosquittoConf; scope: Scope },
  ): void {
    for (const { listener, place } of doors) {
      const own = scope.listeners.find((one) => one.place === place);
      const ties = isTrue(own?.settings.get('use_username_as_clientid'));
      if (listener.authentication === 'none') listener.role = rights.anonymous;
      else if (!rights.needsOwnClientIds && !ties && !conf.settings.has('clientid_prefixes'))
        listener.clientIds = 'any';
      if (ties)
        this.#report.changed(
          place,
          'use_username_as_clientid',
          'client ids of NAME or NAME/anything',
          'a client that sends another id is refused, where mosquitto replaced it',
        );
    }
  }
}

function confPath(path: string): string {
  try {
    return statSync(path).isDirectory() ? join(path, 'mosquitto.conf') : path;
  } catch (fault) {
    throw new MotteError('MOT-1002', `${path}: ${said(fault)}`, { cause: fault });
  }
}

const NOTHING: Rights = {
  base: [],
  rolesOf: () => [],
  names: [],
  groups: [],
  anonymous: 'anonymous',
  saysOf: () => [],
  needsOwnClientIds: false,
};
const WAIVER_MS = 90 * 86_400_000;
