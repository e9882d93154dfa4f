// From the nodes of a YAML document to a policy: its sections, their shapes, limits and names.

import {
  type Group,
  nameFault,
  POLICY_LIMITS,
  type Policy,
  type PolicyTest,
  parsePolicyTest,
  parseRule,
  parseWho,
  policyOf,
  type Role,
  type RoleQuotas,
  type Rule,
  RuleError,
  roleOfRules,
} from '@motte/broker/policy';
import { identityKey } from '@motte/broker/ports/identity';
import { isMap, isScalar, isSeq, type Node, Scalar } from 'yaml';
import { keyText, type Mistakes } from '../config/mistakes.ts';
import { Places } from '../config/places.ts';
import { nearest } from '../config/suggest.ts';
import { readQuotas } from './read-quotas.ts';

/** Undefined contents are an empty file. What is wrong is added to `mistakes`; the policy holds only if nothing was. */
export function readPolicy(contents: unknown, text: string, file: string, mistakes: Mistakes): Policy {
  return new PolicyReader(text, file, mistakes).read(contents);
}

interface Entry {
  readonly name: string;
  readonly at: number;
  readonly value: unknown;
}

class PolicyReader {
  readonly #mistakes: Mistakes;
  readonly #places: Places;
  readonly #text: string;
  #rules = 0;
  #members = 0;

  constructor(text: string, file: string, mistakes: Mistakes) {
    this.#mistakes = mistakes;
    this.#text = text;
    this.#places = new Places(text, file);
  }

  read(contents: unknown): Policy {
    const sections = this.#sections(contents);
    const roles = this.#entries(sections.get('roles'), 'roles').flatMap((entry) => this.#role(entry));
    const known = new Set(roles.map(({ name }) => name));
    const groups = this.#entries(sections.get('groups'), 'groups').map((entry) => this.#group(entry, known));
    const defaults = { device: [] as string[], user: [] as string[] };
    for (const { name, at, value } of this.#entries(sections.get('defaults'), 'defaults')) {
      if (name === 'device' || name === 'user') defaults[name] = this.#roleNames(value, `defaults.${name}`, known);
      else this.#mistakes.addAt(at, `defaults.${name}`, 'unknown key; allowed here: device, user');
    }
    return policyOf(roles, { groups, defaults, tests: this.#tests(sections.get('tests'), known) });
  }

  #sections(contents: unknown): Map<string, Entry> {
    const sections = new Map<string, Entry>();
    if (contents === undefined) return sections;
    const whole = { name: '', at: atOf(contents, 0), value: contents };
    for (const entry of this.#entries(whole, '')) {
      const { name, at } = entry;
      if (name === 'require') this.#mistakes.addAt(at, name, `not in this version: it needs sealed payloads`);
      else if (SECTIONS.includes(name)) sections.set(name, entry);
      else {
        const meant = nearest(name, SECTIONS);
        const hint = meant === undefined ? `allowed here: ${SECTIONS.join(', ')}` : `did you mean ${meant}?`;
        this.#mistakes.addAt(at, name, `unknown key; ${hint}`);
      }
    }
    return sections;
  }

  /** The keys of a section, none if it is not there. */
  #entries(section: Entry | undefined, what: string): Entry[] {
    if (section === undefined) return [];
    const { value, at } = section;
    if (!isMap(value)) {
      this.#mistakes.addAt(atOf(value, at), what, 'must be a section of keys');
      return [];
    }
    return value.items.map((pair) => {
      const keyAt = atOf(pair.key, at);
      return { name: keyText(pair.key) ?? '', at: keyAt, value: pair.value };
    });
  }

  #role({ name, at, value }: Entry): Role | [] {
    const what = `roles.${name}`;
    const fault = nameFault(name);
    if (fault !== undefined) {
      this.#mistakes.addAt(at, 'roles', fault);
      return [];
    }
    if (!isMap(value)) return roleOfRules(name, this.#ruleList(value, at, what), false);
    let rules: Rule[] = [];
    let listenerOnly = false;
    let quotas: RoleQuotas = {};
    for (const entry of this.#entries({ name, at, value }, what)) {
      if (entry.name === 'quotas') {
        quotas = readQuotas(this.#entries(entry, `${what}.quotas`), `${what}.quotas`, this.#mistakes);
      } else if (entry.name === 'rules') rules = this.#ruleList(entry.value, entry.at, `${what}.rules`);
      else if (entry.name === 'listenerOnly' && isScalar(entry.value) && typeof entry.value.value === 'boolean') {
        listenerOnly = entry.value.value;
      } else if (entry.name === 'listenerOnly') this.#mistakes.addAt(entry.at, what, 'listenerOnly is true or false');
      else
        this.#mistakes.addAt(
          entry.at,
          `${what}.${entry.name}`,
          'unknown key; allowed here: rules, quotas, listenerOnly',
        );
    }
    return roleOfRules(name, rules, listenerOnly, quotas);
  }

  #ruleList(list: unknown, at: number, what: string): Rule[] {
    return this.#lines(list, at, what, 'a rule').flatMap(({ node, line, where }) => {
      this.#rules += 1;
      if (this.#rules > POLICY_LIMITS.rulesMax) {
        if (this.#rules === POLICY_LIMITS.rulesMax + 1)
          this.#mistakes.addAt(atOf(node, at), 'roles', `have more than ${POLICY_LIMITS.rulesMax} rules`);
        return [];
      }
      const rule = this.#parsed(node, line, where, (place) => parseRule(line, place));
      if (rule?.conditions.sealed === true) {
        this.#mistakes.addAt(atOf(node, at), where, 'the condition sealed is not in this version');
      }
      return rule ?? [];
    });
  }

  #tests(section: Entry | undefined, known: ReadonlySet<string>): PolicyTest[] {
    if (section === undefined) return [];
    const lines = this.#lines(section.value, section.at, 'tests', 'a test');
    if (lines.length > POLICY_LIMITS.testsMax) {
      this.#mistakes.addAt(section.at, 'tests', `are more than ${POLICY_LIMITS.testsMax}`);
      return [];
    }
    return lines.flatMap(({ node, line, where }) => {
      const test = this.#parsed(node, line, where, (place) => parsePolicyTest(line, place));
      for (const role of test?.as ?? []) this.#checkRole(role, node, where, known);
      return test ?? [];
    });
  }

  #group({ name, at, value }: Entry, known: ReadonlySet<string>): Group {
    const what = `groups.${name}`;
    const fault = nameFault(name);
    if (fault !== undefined) this.#mistakes.addAt(at, 'groups', fault);
    let roles: string[] = [];
    let members: string[] = [];
    for (const entry of this.#entries({ name, at, value }, what)) {
      if (entry.name === 'roles') roles = this.#roleNames(entry.value, `${what}.roles`, known, entry.at);
      else if (entry.name === 'members') members = this.#memberKeys(entry.value, `${what}.members`, entry.at);
      else this.#mistakes.addAt(entry.at, `${what}.${entry.name}`, 'unknown key; allowed here: roles, members');
    }
    return { name, roles, members, place: this.#places.of(at) };
  }

  #roleNames(list: unknown, what: string, known: ReadonlySet<string>, at = 0): string[] {
    return this.#lines(list, at, what, 'the name of a role').map(({ node, line, where }) => {
      this.#checkRole(line, node, where, known);
      return line;
    });
  }

  #checkRole(name: string, node: Node, where: string, known: ReadonlySet<string>): void {
    if (known.has(name)) return;
    const meant = nearest(name, [...known]);
    const fault = nameFault(name) ?? `there is no role ${name}${meant === undefined ? '' : `; did you mean ${meant}?`}`;
    this.#mistakes.addAt(atOf(node, 0), where, fault);
  }

  #memberKeys(list: unknown, what: string, at: number): string[] {
    const keys = new Set<string>();
    for (const { node, line, where } of this.#lines(list, at, what, 'a member')) {
      this.#members += 1;
      const who = parseWho(line);
      if (typeof who === 'string') this.#mistakes.addAt(atOf(node, at), where, who);
      else if (keys.has(identityKey(who))) this.#mistakes.addAt(atOf(node, at), where, `${line} stands there twice`);
      else keys.add(identityKey(who));
      if (this.#members === POLICY_LIMITS.membersMax + 1) {
        this.#mistakes.addAt(atOf(node, at), 'groups', `have more than ${POLICY_LIMITS.membersMax} members`);
        break;
      }
    }
    return [...keys];
  }

  /** The entries of a list of plain text. */
  #lines(list: unknown, at: number, what: string, entry: string): { node: Node; line: string; where: string }[] {
    if (!isSeq(list)) {
      this.#mistakes.addAt(atOf(list, at), what, `must be a list, each entry ${entry}; write [] for none`);
      return [];
    }
    return list.items.flatMap((node, i) => {
      const where = `${what}[${i}]`;
      if (!isScalar(node) || typeof node.value !== 'string') {
        this.#mistakes.addAt(atOf(node, at), where, `must be ${entry} as text: put it in quotes`);
        return [];
      }
      if (node.value.length > POLICY_LIMITS.lineMax) {
        this.#mistakes.addAt(atOf(node, at), where, `is longer than ${POLICY_LIMITS.lineMax} characters`);
        return [];
      }
      return { node, line: node.value, where };
    });
  }

  /** What the parser makes of a line; a RuleError becomes a mistake at the very character where that can be told. */
  #parsed<T>(node: Node, line: string, where: string, parse: (place: string) => T): T | undefined {
    const start = atOf(node, 0);
    try {
      return parse(this.#places.of(start));
    } catch (error) {
      if (!(error instanceof RuleError)) throw error;
      const inner = start + (node instanceof Scalar && node.type !== Scalar.PLAIN ? 1 : 0);
      // With escapes or line breaks the text is not what stands in the file.
      const at = this.#text.startsWith(line, inner) ? inner + error.at : start;
      this.#mistakes.addAt(at, where, `${error.why}; ${error.todo}`);
      return undefined;
    }
  }
}

function atOf(node: unknown, otherwise: number): number {
  return (node as Node | null | undefined)?.range?.[0] ?? otherwise;
}

const SECTIONS = ['roles', 'groups', 'tests', 'defaults'];
