// Who can log in under a scope, as NAME@REALM, and what they get by a group: certificates have no entry in the registry, and
// groups of the source speak of names, whatever proves them.

import { isDeviceName } from '@motte/pki/protocol';
import type { DraftPolicy } from './draft-policy.ts';
import type { PlannedDoor } from './listeners.ts';
import type { ImportReport } from './report.ts';
import type { Rights } from './rights.ts';
import type { Place } from './source.ts';

export class Members {
  readonly #policy: DraftPolicy;
  readonly #report: ImportReport;
  readonly #members = new Set<string>();

  constructor(policy: DraftPolicy, report: ImportReport) {
    this.#policy = policy;
    this.#report = report;
  }

  /** Names that the registry has. */
  add(names: readonly string[], realm: string): void {
    for (const name of names) this.#members.add(`${name}@${realm}`);
  }

  /** What certificates may do stands in groups; `certified` gets what whoever has one may do, by authority. */
  addCertified(doors: readonly PlannedDoor[], rights: Rights, certified: Set<string>): void {
    const byCertificate = doors.filter(({ listener }) => listener.authentication === 'certificate');
    for (const { listener, provesName } of byCertificate) {
      for (const id of listener.clientCa ?? []) {
        const whoever = provesName ? rights.base : [];
        if (whoever.length === 0 && !this.#policy.roles.has(CERTIFIED)) this.#policy.addRole(CERTIFIED);
        for (const role of whoever.length === 0 ? [CERTIFIED] : whoever) certified.add(`${id}\n${role}`);
        if (!provesName) continue;
        const byRoles = new Map<string, string[]>();
        for (const name of rights.names) {
          if (!isDeviceName(name)) continue;
          this.#members.add(`${name}@ca:${id}`);
          const key = rights.rolesOf(name).join('\n');
          byRoles.set(key, [...(byRoles.get(key) ?? []), `${name}@ca:${id}`]);
        }
        for (const [roles, members] of byRoles) {
          if (roles !== '') this.#policy.addGroup(`certified-${id}`, roles.split('\n'), members);
        }
      }
    }
  }

  addGroups({ groups }: Rights, place: Place): void {
    const byName = new Map<string, string[]>();
    for (const one of this.#members) {
      const name = one.slice(0, one.indexOf('@'));
      byName.set(name, [...(byName.get(name) ?? []), one]);
    }
    for (const { name, roles, members } of groups) {
      const held = members.flatMap((member) => byName.get(member) ?? []);
      const group = this.#policy.addGroup(name, roles, held);
      if (group === name) continue;
      this.#report.changed(place, `group ${name}`, `group ${group}`, 'its name is none here, or is taken');
    }
  }

  tellNobodys({ names: spoken }: Rights, place: Place): void {
    const known = new Set([...this.#members].map((one) => one.slice(0, one.indexOf('@'))));
    for (const name of spoken) {
      if (!known.has(name))
        this.#report.unsupported(
          place,
          `rights of ${JSON.stringify(name)}`,
          'nobody of this name can log in: the role is there, nobody has it',
        );
    }
  }
}

const CERTIFIED = 'certified';
