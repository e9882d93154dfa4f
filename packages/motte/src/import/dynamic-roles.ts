// From dynamic security to roles and groups: a role for each role, and one for those clients for whom the order of their roles
// counts. ACLs are asked in order of priority and the first that matches decides; Motte has one right to subscribe where they
// have two, to subscribe and to be sent what comes.

import type { Conditions, DraftPolicy, DraftRole, DraftRule } from './draft-policy.ts';
import type { AclType, DynAcl, DynamicSecurity, DynClient, DynGroup, DynRole } from './dynamic-security.ts';
import { common, covers, meet } from './filters.ts';
import { isCrossed, type OrderedEntry, type OrderedList, settleList, superfluousDenies } from './precedence.ts';
import type { ImportReport } from './report.ts';
import type { Rights, SourceEntry } from './rights.ts';

export interface DynamicRolesParts {
  readonly policy: DraftPolicy;
  readonly report: ImportReport;
  readonly conditions: Conditions;
}

/** The rights that it gives. */
export function dynamicRights(source: DynamicSecurity, parts: DynamicRolesParts): Rights {
  return new DynamicRoles(source, parts).rights();
}

type DynType = Exclude<AclType, 'unsubscribeLiteral' | 'unsubscribePattern'>;

/** An ACL that is compared with others, or what is allowed by default: that has no type of its own. */
interface DynEntry extends OrderedEntry {
  readonly type: DynType | 'byDefault';
}

const CONCERNS: { readonly [T in DynType]: string } = {
  publishClientSend: 'send',
  publishClientReceive: 'receive',
  subscribeLiteral: 'subscribe',
  subscribePattern: 'subscribe',
};

class DynamicRoles {
  readonly #source: DynamicSecurity;
  readonly #parts: DynamicRolesParts;
  readonly #entries = new Map<DynAcl, DynEntry>();
  /** What comes last in every list. */
  readonly #byDefault: readonly DynEntry[];

  constructor(source: DynamicSecurity, parts: DynamicRolesParts) {
    this.#source = source;
    this.#parts = parts;
    const { publishClientSend: send, publishClientReceive: receive, subscribe } = source.allowsByDefault;
    const granted = [...(send ? ['send'] : []), ...(receive ? ['receive'] : []), ...(subscribe ? ['subscribe'] : [])];
    const place = source.defaultsPlace;
    const everything = ['#', ...dollarFilters(source)];
    this.#byDefault = granted.flatMap((concern) =>
      [...everything, ...(concern === 'send' ? [] : ['$SYS/#'])].map(
        (filter): DynEntry => ({
          type: 'byDefault',
          effect: 'allow',
          concerns: [concern],
          filter,
          what: `${concern} by default`,
          place,
        }),
      ),
    );
  }

  rights(): Rights {
    const { roles, groups, clients, anonymousGroup } = this.#source;
    const { policy, report } = this.#parts;
    for (const { acls } of roles.values()) for (const acl of acls) this.#judge(acl);
    const combinations = this.#combinations();
    const lonely = [...roles.values()].map((role) => this.#list(`whoever has role ${role.name}`, [role]));
    const superfluous = superfluousDenies([...combinations.map(({ list }) => list), ...lonely]);
    const { publishClientSend, subscribe } = this.#source.allowsByDefault;
    const everybody = publishClientSend || subscribe ? this.#writeNew('everybody', this.#byDefault) : undefined;
    const names = new Map<DynRole, string>();
    for (const role of roles.values()) {
      const draft = policy.addRole(role.name);
      if (draft.name !== role.name)
        report.changed(role.place, `role ${role.name}`, `role ${draft.name}`, 'its name is none here, or is taken');
      names.set(role, draft.name);
      this.#write(
        draft,
        [...this.#ordered(role), ...this.#byDefault].filter((entry) => !superfluous.has(entry)),
        false,
      );
    }
    const alone = this.#alone(combinations, superfluous);
    const anonymousList = this.#list('a client without a name', anonymousGroup?.roles ?? []);
    const anonymous = policy.addRole('anonymous', { listenerOnly: true });
    this.#write(anonymous, settled(anonymousList, report), true);
    this.#tellDefaults();
    report.leftOut(this.#entries.values());
    const namesOf = (held: readonly DynRole[]) => held.map((role) => names.get(role) as string);
    const base = everybody === undefined ? [] : [everybody.name];
    return {
      base: [],
      rolesOf: (name) => {
        const client = clients.get(name);
        if (client === undefined) return [];
        const own = alone.get(name);
        return own === undefined ? [...base, ...namesOf(client.roles)] : [own];
      },
      names: [...clients.keys()],
      groups: [...groups.values()].map((group) => ({
        name: group.name,
        roles: namesOf(group.roles),
        members: membersOf(group, clients).filter((name) => !alone.has(name)),
      })),
      anonymous: anonymous.name,
      saysOf: (name) => this.#saysOf(name),
      needsOwnClientIds: [...clients.values()].some(({ clientId }) => clientId !== undefined),
    };
  }

  /** Reports what has no counterpart; everything else is compared later. */
  #judge(acl: DynAcl): void {
    const { report } = this.#parts;
    const { type, topic, effect, place } = acl;
    const what = `${effect} ${type} ${topic}`;
    if (type === 'unsubscribeLiteral' || type === 'unsubscribePattern') {
      if (effect === 'allow') report.same(place, what, 'anybody may unsubscribe');
      else report.unsupported(place, what, 'anybody may end a subscription of their own');
    } else if (topic.startsWith('$CONTROL')) {
      report.unsupported(place, what, 'Motte is not administered by messages: see `motte` and the console');
    } else if (topic.startsWith('$share/')) {
      const why = 'whoever may subscribe to a filter may share it; no rule speaks of shared subscriptions';
      report.changed(place, what, undefined, why);
    } else this.#entries.set(acl, { type, effect, concerns: [CONCERNS[type]], filter: topic, what, place });
  }

  #list(who: string, roles: readonly DynRole[]): OrderedList<DynEntry> {
    return { who, entries: [...roles.flatMap((role) => this.#ordered(role)), ...this.#byDefault] };
  }

  #saysOf(name: string): SourceEntry[] {
    const client = this.#source.clients.get(name);
    if (client === undefined) return [];
    return this.#list(name, rolesInOrder(client)).entries.flatMap(({ type, effect, concerns, filter }) => {
      const action = concerns.includes('send') ? 'publish' : concerns.includes('subscribe') ? 'subscribe' : undefined;
      const isExact = type !== 'subscribeLiteral' || !/[+#]/.test(filter);
      return action === undefined ? [] : [{ effect, action, filter, isExact }];
    });
  }

  /** Literal subscriptions are looked at before patterns, role by role. */
  #ordered({ acls }: DynRole): DynEntry[] {
    const isLiteral = ({ type }: DynAcl) => type === 'subscribeLiteral';
    const literalFirst = [...acls.filter(isLiteral), ...acls.filter((acl) => !isLiteral(acl))];
    return literalFirst.flatMap((acl) => this.#entries.get(acl) ?? []);
  }

  /** The ways in which clients have roles together. */
  #combinations(): Combination[] {
    const found = new Map<string, Combination>();
    for (const client of this.#source.clients.values()) {
      const roles = rolesInOrder(client);
      // Names can hold any character.
      const key = JSON.stringify(roles.map(({ name }) => name));
      const known = found.get(key);
      if (known === undefined) found.set(key, { roles, list: this.#list(client.name, roles), clients: [client] });
      else known.clients.push(client);
    }
    return [...found.values()];
  }

  /** By client: the one role of those whose rights their roles side by side would not say. */
  #alone(combinations: readonly Combination[], superfluous: ReadonlySet<DynEntry>): Map<string, string> {
    const { report } = this.#parts;
    const alone = new Map<string, string>();
    for (const { roles, list, clients } of combinations) {
      if (!isCrossed(list, superfluous) && !this.#areApart(roles)) continue;
      const role = this.#writeNew(`client-${list.who}`, settled(list, report));
      for (const { name, place } of clients) {
        alone.set(name, role.name);
        const why = 'the order of its roles counts: what they come to stands in one role';
        report.changed(place, `roles of ${name}`, `role ${role.name}`, why);
      }
    }
    return alone;
  }

  /** True if what one role lets subscribe another lets be sent. */
  #areApart(roles: readonly DynRole[]): boolean {
    if (this.#source.allowsByDefault.publishClientReceive) return false;
    const topics = ({ acls }: DynRole, test: (type: AclType) => boolean) =>
      acls.filter(({ type, effect }) => effect === 'allow' && test(type)).map(({ topic }) => topic);
    return roles.some((one) =>
      topics(one, (type) => type.startsWith('subscribe')).some((filter) =>
        roles.some(
          (other) =>
            other !== one &&
            topics(other, (type) => type === 'publishClientReceive').some((topic) => meet(filter, topic)),
        ),
      ),
    );
  }

  #writeNew(name: string, entries: readonly DynEntry[]): DraftRole {
    const role = this.#parts.policy.addRole(name);
    this.#write(role, entries, true);
    return role;
  }

  /** `isWhole`: what is allowed by default is written as well. */
  #write(draft: DraftRole, entries: readonly DynEntry[], isWhole: boolean): void {
    const { report } = this.#parts;
    const receivable = entries.filter((entry) => entry.effect === 'allow' && entry.concerns.includes('receive'));
    for (const entry of entries) {
      const { type, effect, filter, place, what } = entry;
      if (type === 'byDefault' && !isWhole && !(entry.concerns.includes('subscribe') && this.#isSentLess())) continue;
      if (entry.concerns.includes('send')) this.#rule(draft, what, { effect, action: 'publish', filter, place });
      else if (entry.concerns.includes('receive')) {
        if (effect === 'deny') this.#rule(draft, what, { effect, action: 'receive', filter, place });
        else if (type !== 'byDefault') report.same(place, what, 'comes with the right to subscribe');
      } else if (effect === 'deny') {
        this.#rule(draft, what, { effect, action: 'subscribe', filter, place });
        report.changed(place, what, `deny subscribe ${filter}`, 'also keeps these messages from a wider subscription');
      } else this.#subscribe(draft, entry, receivable);
    }
  }

  #isSentLess(): boolean {
    return !this.#source.allowsByDefault.publishClientReceive;
  }

  /** The right to subscribe is one to be sent what comes: it is given for what both ACLs allow. */
  #subscribe(draft: DraftRole, { type, filter, place, what }: DynEntry, receivable: readonly DynEntry[]): void {
    const { report } = this.#parts;
    const rule = (one: string): DraftRule => ({ effect: 'allow', action: 'subscribe', filter: one, place });
    if (receivable.some((one) => covers(one.filter, filter))) {
      this.#rule(draft, what, rule(filter));
      if (type === 'subscribeLiteral' && /[+#]/.test(filter)) {
        const why = 'filters within it are granted as well; they bring nothing that it does not';
        report.changed(place, what, `allow subscribe ${filter}`, why);
      }
      return;
    }
    const shared = receivable.flatMap((one) => common(filter, one.filter) ?? []);
    for (const one of shared) this.#rule(draft, what, rule(one));
    const becomes = shared.length === 0 ? undefined : shared.map((one) => `allow subscribe ${one}`).join(', ');
    const why =
      'what may be sent to it is less: a wider subscription, of which mosquitto delivers a part or nothing, is refused';
    report.changed(place, what, becomes, why);
  }

  #rule(draft: DraftRole, what: string, rule: DraftRule): void {
    const { policy, report, conditions } = this.#parts;
    const text = policy.addRule(draft, rule, conditions);
    if (text !== undefined) report.same(rule.place, what, `role ${draft.name}: ${text}`);
  }

  #tellDefaults(): void {
    const { report } = this.#parts;
    const { allowsByDefault, defaultsPlace: place } = this.#source;
    for (const [what, allowed] of Object.entries(allowsByDefault)) {
      if (what !== 'unsubscribe') report.same(place, `defaultACLAccess ${what}: ${allowed}`);
      else if (!allowed)
        report.unsupported(place, 'defaultACLAccess unsubscribe: false', 'anybody may end a subscription of their own');
    }
    report.changed(
      place,
      '# in an ACL to subscribe covers $SYS/#, and $share/… needs an ACL of its own',
      '# says nothing about $ topics; a shared subscription needs the right to what it shares',
      'no message reaches anybody who could not have it before',
    );
  }
}

/** What `#` does not cover of the topics that ACLs speak of, and the defaults do: by its first level. */
function dollarFilters({ roles }: DynamicSecurity): string[] {
  const topics = [...roles.values()].flatMap(({ acls }) => acls.map(({ topic }) => topic));
  const first = topics.map((topic) => topic.split('/')[0] as string).filter((level) => level.startsWith('$'));
  return [...new Set(first)].filter((level) => !APART.has(level)).map((level) => `${level}/#`);
}

/** Spoken of by itself, or no topic. */
const APART: ReadonlySet<string> = new Set(['$SYS', '$CONTROL', '$share']);

interface Combination {
  readonly roles: readonly DynRole[];
  readonly list: OrderedList<DynEntry>;
  readonly clients: DynClient[];
}

/** Each has one concern: it is left or not. */
function settled(list: OrderedList<DynEntry>, report: ImportReport): DynEntry[] {
  return settleList(list, report).map(({ entry }) => entry);
}

function rolesInOrder({ roles, groups }: DynClient): DynRole[] {
  return [...roles, ...groups.flatMap((group) => group.roles)];
}

function membersOf(group: DynGroup, clients: ReadonlyMap<string, DynClient>): string[] {
  return [...clients.values()].filter(({ groups }) => groups.includes(group)).map(({ name }) => name);
}
