// From an acl_file to roles: one for each user that has lines, one of the patterns for everybody. Its order of looking is
// the denies of the user, what the user is allowed, the denies among the patterns, what the patterns allow.

import type { AclAccess, AclEntry, AclFile } from './acl-file.ts';
import type { Conditions, DraftPolicy, DraftRole, DraftRule } from './draft-policy.ts';
import { isCrossed, type OrderedEntry, type OrderedList, settleList, superfluousDenies } from './precedence.ts';
import type { ImportReport } from './report.ts';
import type { KindsOfPeople, Rights, SourceEntry } from './rights.ts';
import { type Place, SourceRefused } from './source.ts';

export interface AclRolesParts {
  readonly policy: DraftPolicy;
  readonly report: ImportReport;
  readonly conditions: Conditions;
  readonly people: KindsOfPeople;
  readonly allowsAnonymous: boolean;
}

/** The rights that the file gives. */
export function aclRights(file: AclFile, parts: AclRolesParts): Rights {
  return new AclRoles(file, parts).rights();
}

/** The rights where no file is named: everybody may do everything. */
export function openRights(place: Place, { policy, report, conditions }: AclRolesParts): Rights {
  const role = policy.addRole('everything');
  const anonymous = policy.addRole('anonymous', { listenerOnly: true });
  for (const one of [role, anonymous]) {
    policy.addRule(one, { effect: 'allow', action: 'all', filter: '#', place }, conditions);
    policy.addRule(one, { effect: 'allow', action: 'subscribe', filter: '$SYS/#', place }, conditions);
  }
  const why = 'whoever is let in may do everything but publish to $ topics: narrow it';
  report.changed(place, 'no acl_file', `role ${role.name}`, why);
  const base = [role.name];
  const says = [{ effect: 'allow', action: 'publish', filter: '#', isExact: true } as const].flatMap((all) => [
    all,
    { ...all, action: 'subscribe' as const },
  ]);
  return {
    ...{ base, rolesOf: () => base, names: [], groups: [], anonymous: anonymous.name, needsOwnClientIds: false },
    saysOf: () => says,
  };
}

interface Translated extends OrderedEntry {
  readonly rules: readonly DraftRule[];
}

class AclRoles {
  readonly #file: AclFile;
  readonly #parts: AclRolesParts;
  /** Those that a role of everybody can say. */
  readonly #patterns: readonly Translated[];
  /** Those with %u among other characters of a level, which only a rule for each user can say. */
  readonly #byName: readonly AclEntry[];

  constructor(file: AclFile, parts: AclRolesParts) {
    this.#file = file;
    this.#parts = parts;
    const names = parts.people.names;
    const isByName = ({ topic }: AclEntry) => hasPart(topic, 'u') && !topic.includes('%c') && names !== undefined;
    const byName = file.patterns.filter(isByName);
    this.#byName = byName.length * (names?.length ?? 0) > BY_NAME_MAX ? [] : byName;
    this.#patterns = file.patterns
      .filter((entry) => !this.#byName.includes(entry))
      .map((entry) => this.#pattern(entry));
    const why = 'a placeholder fills a whole level: there is a rule for each user of now, and new ones need theirs';
    for (const entry of this.#byName) parts.report.changed(entry.place, whatOf(entry), `${names?.length} rules`, why);
  }

  rights(): Rights {
    const { policy, report, allowsAnonymous } = this.#parts;
    const patterns = deniesFirst(this.#patterns);
    const named = this.#names().map((who) => {
      const { own, byName } = this.#own(who);
      return {
        who,
        own: deniesFirst([...own, ...byName]),
        entries: [...own, ...deniesFirst([...patterns, ...byName])],
      };
    });
    const anonymousOwn = deniesFirst(this.#file.anonymous.map(plain));
    const anonymousPatterns = deniesFirst(this.#patterns.filter((entry) => !this.#needsName(entry)));
    const unnamed = { who: 'a client without a name', entries: [...anonymousOwn, ...anonymousPatterns] };
    const superfluous = superfluousDenies(named);
    const shared = patterns.length > 0 ? policy.addRole('patterns') : undefined;
    if (shared !== undefined)
      this.#write(
        shared,
        patterns.filter((entry) => !superfluous.has(entry)),
      );
    const base = shared === undefined ? [] : [shared.name];
    const roles = new Map<string, readonly string[]>();
    for (const list of named) {
      const crossed = isCrossed(list, superfluous);
      const entries = crossed ? settled(list, report) : list.own.filter((entry) => !superfluous.has(entry));
      if (list.own.length === 0 && !crossed) continue;
      const role = policy.addRole(`user-${list.who}`);
      // Where the order counts the user has all of its rules in a role of its own, the patterns among them.
      roles.set(list.who, crossed ? [role.name] : [...base, role.name]);
      this.#write(role, entries);
    }
    const anonymous = policy.addRole('anonymous', { listenerOnly: true });
    if (allowsAnonymous) this.#write(anonymous, settled(unnamed, report));
    else
      for (const { place, what } of anonymousOwn)
        report.same(place, what, 'left out: it is for clients without a name');
    this.#tellAboutSubscribing();
    report.leftOut([...this.#file.users.values(), this.#file.anonymous, this.#file.patterns].flat().map(plain));
    return {
      base,
      rolesOf: (name) => roles.get(name) ?? base,
      names: [...this.#file.users.keys()],
      groups: [],
      anonymous: anonymous.name,
      saysOf: (name) => this.#saysOf(name),
      needsOwnClientIds: this.#file.patterns.some(({ topic }) => topic.includes('%c')),
    };
  }

  /** Of users with lines, and of all where patterns need each by name. */
  #names(): string[] {
    const everybody = this.#byName.length > 0 ? (this.#parts.people.names ?? []) : [];
    return [...new Set([...this.#file.users.keys(), ...everybody])];
  }

  #own(name: string): { own: Translated[]; byName: Translated[] } {
    const own = deniesFirst((this.#file.users.get(name) ?? []).map(plain));
    const byName = this.#byName.map((entry) => translated(entry, [entry.topic.replaceAll('%u', () => name)]));
    return { own, byName };
  }

  #saysOf(name: string): SourceEntry[] {
    const { own, byName } = this.#own(name);
    return [...own, ...deniesFirst([...this.#patterns, ...byName])].flatMap(({ effect, concerns, filter, rules }) =>
      concerns.map((concern) => ({
        effect,
        action: concern === 'read' ? ('subscribe' as const) : ('publish' as const),
        filter,
        isExact: rules.length > 0,
      })),
    );
  }

  /** Without a user name mosquitto looks at no pattern with %u. */
  #needsName({ place }: Translated): boolean {
    return this.#file.patterns.some((entry) => entry.place === place && entry.topic.includes('%u'));
  }

  #write(role: DraftRole, entries: readonly Translated[]): void {
    const { policy, report, conditions } = this.#parts;
    for (const { rules, what, place } of entries) {
      for (const rule of rules) {
        const text = policy.addRule(role, rule, conditions);
        if (text !== undefined) report.same(place, what, `role ${role.name}: ${text}`);
      }
    }
  }

  /** With the placeholders of those who can be there. */
  #pattern(entry: AclEntry): Translated {
    const { report, people } = this.#parts;
    const { access, place, topic } = entry;
    const isWhole = !hasPart(topic, 'u') && !hasPart(topic, 'c');
    const isDeny = access === 'deny';
    if (!isWhole && !isDeny) {
      report.changed(
        place,
        whatOf(entry),
        undefined,
        'left out, since a placeholder fills a whole level: give each user a rule',
      );
      return translated(entry, []);
    }
    if (isDeny && (!isWhole || topic.includes('%c'))) {
      const why = 'a deny of $ topics by client id or by a part of a level cannot be said';
      if (topic.startsWith('$')) throw new SourceRefused([{ place, why }]);
      report.changed(
        place,
        whatOf(entry),
        'denies any such level',
        'clients choose their ids, and a placeholder fills a level',
      );
    } else if (topic.includes('%c')) {
      const why = 'holds for clients whose client id is their name, as the listeners demand';
      report.changed(place, whatOf(entry), '$' + '{client}', why);
    }
    const client = isDeny ? '+' : '$' + '{client}';
    const kinds = [...(people.users ? ['$' + '{user}'] : []), ...(people.devices ? ['$' + '{device}'] : [])];
    const values = topic.includes('%u') ? kinds : ['+'];
    return translated(
      entry,
      values.map((user) => filled(topic, { user, client })),
    );
  }

  #tellAboutSubscribing(): void {
    const [first] = [...this.#file.patterns, ...[...this.#file.users.values()].flat(), ...this.#file.anonymous];
    if (first === undefined) return;
    this.#parts.report.changed(
      { file: first.place.file, line: 1 },
      'every subscription is granted, and reading is checked when a message is delivered',
      'a subscription is granted if rules cover all of it',
      'one that is wider than what may be read is refused, where mosquitto delivered a part; delivery is checked as well',
    );
  }
}

/** Of what both reads and writes one half may be left. */
function settled(list: OrderedList<Translated>, report: ImportReport): Translated[] {
  return settleList(list, report).map(({ entry, concerns }) => {
    if (concerns.length === entry.concerns.length) return entry;
    const action = concerns[0] === 'read' ? 'subscribe' : 'publish';
    return { ...entry, concerns, rules: entry.rules.map((rule) => ({ ...rule, action })) };
  });
}

function plain(entry: AclEntry): Translated {
  return translated(entry, [entry.topic]);
}

function translated(entry: AclEntry, filters: readonly string[]): Translated {
  const { access, topic, place } = entry;
  const { effect, action, concerns } = ACCESS[access];
  // Compared with others as the widest that it can be.
  const filter = filters[0] ?? filled(topic, { user: '+', client: '+' });
  const rules = filters.map((one) => ({ effect, action, filter: one, place }));
  return { effect, concerns, filter, what: whatOf(entry), place, rules };
}

function whatOf({ access, topic }: AclEntry): string {
  return `${access} ${topic}`;
}

/** True if %u or %c stands in a level with other characters. */
function hasPart(topic: string, letter: 'u' | 'c'): boolean {
  return topic.split('/').some((level) => level !== `%${letter}` && level.includes(`%${letter}`));
}

/** A level with %u or %c in it among other characters stands for any: that is for denies alone. */
function filled(topic: string, { user, client }: { user: string; client: string }): string {
  return topic
    .split('/')
    .map((level) => (level === '%u' ? user : level === '%c' ? client : /%[uc]/.test(level) ? '+' : level))
    .join('/');
}

function deniesFirst(entries: readonly Translated[]): Translated[] {
  const isDeny = ({ effect }: Translated) => effect === 'deny';
  return [...entries.filter(isDeny), ...entries.filter((entry) => !isDeny(entry))];
}

const READ = ['read'] as const;
const WRITE = ['write'] as const;
const BOTH = ['read', 'write'] as const;
const ACCESS: { readonly [A in AclAccess]: Pick<OrderedEntry, 'effect' | 'concerns'> & Pick<DraftRule, 'action'> } = {
  read: { effect: 'allow', concerns: READ, action: 'subscribe' },
  write: { effect: 'allow', concerns: WRITE, action: 'publish' },
  readwrite: { effect: 'allow', concerns: BOTH, action: 'all' },
  deny: { effect: 'deny', concerns: BOTH, action: 'all' },
};
/** Rules that are made for single names. */
const BY_NAME_MAX = 2_000;
