// One rule of the policy: its grammar and what it says, not yet for whom. `allow|deny publish|subscribe|receive|all
// FILTER [conditions]`; a filter with a space stands in single quotes, a quote inside them is written twice.

import { PeerError, parseTopicFilter, type QoS } from '@motte/wire';
import { type AddressRange, parseAddressRange } from './address-range.ts';
import { nameFault } from './names.ts';
import { oddCharacter, RuleError } from './rule-error.ts';
import { splitWords, type Word } from './words.ts';

export type RuleEffect = 'allow' | 'deny';
export type RuleAction = 'publish' | 'subscribe' | 'receive' | 'all';
/** What can be asked for. */
export type Action = 'publish' | 'subscribe' | 'receive';
export type Placeholder = 'device' | 'user' | 'client';

/** What must also hold; a rule without conditions has each field in its loosest form. */
export interface RuleConditions {
  /** 2 = any. */
  readonly qosMax: QoS;
  /** True: only messages without RETAIN. */
  readonly noRetain: boolean;
  readonly sealed: boolean;
  readonly from: AddressRange | undefined;
  /** Name of a listener. */
  readonly via: string | undefined;
}

export interface Rule {
  readonly effect: RuleEffect;
  readonly action: RuleAction;
  /** With its placeholders, each a level of its own. */
  readonly filter: string;
  readonly conditions: RuleConditions;
  /** As it was written. */
  readonly text: string;
  /** FILE:LINE:COLUMN; undefined for a rule that is built in. */
  readonly place: string | undefined;
}

/** Reads one rule. Throws RuleError. */
export function parseRule(text: string, place?: string): Rule {
  const words = splitWords(text);
  const end = { text: '', at: text.length, quoted: false };
  const [effect, action, filter] = [words[0] ?? end, words[1] ?? end, words[2] ?? end];
  return {
    effect: oneOf(text, effect, EFFECTS, 'start the rule with allow or deny'),
    action: oneOf(text, action, ACTIONS, 'write publish, subscribe, receive or all'),
    filter: parseFilter(text, filter),
    conditions: parseConditions(text, words.slice(3)),
    text,
    place,
  };
}

/** The placeholder that this level is, or undefined if it is plain text. */
export function placeholderOf(level: string): Placeholder | undefined {
  return PLACEHOLDERS.find((name) => level === `\${${name}}`);
}

/** True if the rule speaks of the action: who may subscribe may receive, who may not subscribe may not. */
export function concerns(rule: { readonly action: RuleAction }, action: Action): boolean {
  if (rule.action === action || rule.action === 'all') return true;
  return action === 'receive' && rule.action === 'subscribe';
}

function oneOf<T extends string>(text: string, word: Word, allowed: readonly T[], todo: string): T {
  const found = word.quoted ? undefined : allowed.find((one) => one === word.text);
  if (found !== undefined) return found;
  if (word.text === '') throw new RuleError(text, word.at, 'it ends too early', todo);
  const odd = oddCharacter(word.text);
  const holds = odd === undefined ? '' : `; it holds ${odd}, which only looks like something else`;
  throw new RuleError(text, word.at, `"${word.text}" does not belong there${holds}`, todo);
}

function parseFilter(text: string, word: Word): string {
  if (word.text === '' && !word.quoted) {
    const todo = 'add a topic filter; in YAML " #" starts a comment, so put a rule with the filter # alone in quotes';
    throw new RuleError(text, word.at, 'it ends where a topic filter is due', todo);
  }
  if (word.text.startsWith('"') && !word.quoted) {
    const todo = 'put the whole rule in double quotes, or the filter alone in single ones';
    throw new RuleError(text, word.at, 'double quotes mean nothing within a rule', todo);
  }
  const levels = word.text.split('/');
  for (const level of levels) {
    if (placeholderOf(level) !== undefined) continue;
    if (!level.includes('${')) continue;
    const why = `"${level}" is no placeholder that fills one level`;
    throw new RuleError(
      text,
      word.at,
      why,
      'let $' + '{device}, $' + '{user} or $' + '{client} stand between slashes alone',
    );
  }
  if (word.text.startsWith('$share/')) {
    const todo = 'write the filter that follows $share/NAME/';
    throw new RuleError(text, word.at, 'rules are about topics, not about shared subscriptions', todo);
  }
  try {
    parseTopicFilter(levels.map((level) => (placeholderOf(level) === undefined ? level : 'x')).join('/'));
  } catch (error) {
    if (!(error instanceof PeerError)) throw error;
    const why = `"${word.text}" is not a topic filter: ${error.message}`;
    throw new RuleError(text, word.at, why, 'write levels between slashes, + for any one level, # at the end');
  }
  return word.text;
}

type Mutable<T> = { -readonly [K in keyof T]: T[K] };

function parseConditions(text: string, words: readonly Word[]): RuleConditions {
  const found: Mutable<RuleConditions> = { qosMax: 2, noRetain: false, sealed: false, from: undefined, via: undefined };
  const seen = new Set<string>();
  for (let i = 0; i < words.length; i++) {
    const word = words[i] as Word;
    const kind = word.text.startsWith('qos') ? 'qos' : word.text;
    if (seen.has(kind)) throw new RuleError(text, word.at, `"${kind}" stands there twice`, 'write each condition once');
    seen.add(kind);
    if (word.text === 'no-retain') {
      found.noRetain = true;
    } else if (word.text === 'sealed') {
      found.sealed = true;
    } else if (word.text === 'from') {
      found.from = parseFrom(text, words[++i] ?? { ...word, at: text.length, text: '' });
    } else if (word.text === 'via') {
      found.via = parseVia(text, words[++i] ?? { ...word, at: text.length, text: '' });
    } else if (kind === 'qos') {
      const max = /^qos<=([012])$/.exec(word.text)?.[1];
      if (max === undefined) {
        throw new RuleError(
          text,
          word.at,
          `"${word.text}" is no condition on QoS`,
          'write qos<=0, qos<=1 or qos<=2 without spaces',
        );
      }
      found.qosMax = Number(max) as QoS;
    } else {
      const todo =
        'conditions are qos<=N, no-retain, sealed, from CIDR and via LISTENER; quote a filter that has a space';
      throw new RuleError(text, word.at, `"${word.text}" is not a condition`, todo);
    }
  }
  return found;
}

function parseFrom(text: string, word: Word): AddressRange {
  const range = word.text === '' ? 'it ends after "from"' : parseAddressRange(word.text);
  if (typeof range !== 'string') return range;
  throw new RuleError(text, word.at, range, 'write an address or a network such as 10.1.0.0/16 or fd00::/8');
}

function parseVia(text: string, word: Word): string {
  if (nameFault(word.text) === undefined) return word.text;
  const why = word.text === '' ? 'it ends after "via"' : `"${word.text}" is not the name of a listener`;
  throw new RuleError(text, word.at, why, 'write the name of a listener as motte.yaml has it');
}

const EFFECTS: readonly RuleEffect[] = ['allow', 'deny'];
const ACTIONS: readonly RuleAction[] = ['publish', 'subscribe', 'receive', 'all'];
const PLACEHOLDERS: readonly Placeholder[] = ['device', 'user', 'client'];
