// A test in the policy: `WHO may|may not publish|subscribe|receive TOPIC [options]`. Owns its grammar; run-tests.ts runs it.

import { isIP } from 'node:net';
import { PeerError, parseTopicFilter, parseTopicName, type QoS } from '@motte/wire';
import { nameFault, parseWho, type Who } from './names.ts';
import type { Action } from './rule.ts';
import { oddCharacter, RuleError } from './rule-error.ts';
import { splitWords, type Word } from './words.ts';

export interface PolicyTest {
  readonly who: Who;
  readonly may: boolean;
  readonly action: Action;
  /** A topic name; of `subscribe` a plain filter. */
  readonly target: string;
  readonly qos: QoS;
  readonly retain: boolean;
  /** Address it comes from; empty = unknown, and in no network. */
  readonly from: string;
  /** Name of the listener; empty = none that a rule names. */
  readonly via: string;
  /** In place of what the registry and groups give. */
  readonly as: readonly string[] | undefined;
  /** As it was written. */
  readonly text: string;
  readonly place: string;
}

/** Reads one test. Throws RuleError. */
export function parsePolicyTest(text: string, place: string): PolicyTest {
  const words = splitWords(text);
  const end = { text: '', at: text.length, quoted: false };
  const isNot = words[2]?.text === 'not' && !words[2].quoted;
  const [who = end, may = end] = words;
  const [action = end, target = end, ...options] = words.slice(isNot ? 3 : 2);
  const parsed = parseWho(who.text);
  if (typeof parsed === 'string') throw new RuleError(text, who.at, parsed, FORM);
  if (may.text !== 'may' || may.quoted) throw misplaced(text, may, FORM);
  const known = ACTIONS.find((one) => one === action.text);
  if (known === undefined || action.quoted) throw misplaced(text, action, 'write publish, subscribe or receive');
  return {
    who: parsed,
    may: !isNot,
    action: known,
    target: parseTarget(text, known, target),
    ...parseOptions(text, options),
    text,
    place,
  };
}

function misplaced(text: string, word: Word, todo: string): RuleError {
  if (word.text === '') return new RuleError(text, word.at, 'it ends too early', todo);
  const odd = oddCharacter(word.text);
  const holds = odd === undefined ? '' : `; it holds ${odd}, which only looks like something else`;
  return new RuleError(text, word.at, `"${word.text}" does not belong there${holds}`, todo);
}

function parseTarget(text: string, action: Action, word: Word): string {
  if (word.text === '' && !word.quoted) {
    const todo = 'add a topic; in YAML " #" starts a comment, so put a test with the filter # alone in quotes';
    throw new RuleError(text, word.at, 'it ends where a topic is due', todo);
  }
  if (word.text.startsWith('$share/')) {
    const todo = 'write the filter that follows $share/NAME/';
    throw new RuleError(text, word.at, 'tests are about topics, not about shared subscriptions', todo);
  }
  try {
    return action === 'subscribe' ? parseTopicFilter(word.text) : parseTopicName(word.text);
  } catch (error) {
    if (!(error instanceof PeerError)) throw error;
    const what = action === 'subscribe' ? 'a topic filter' : 'a topic, which has no wildcard';
    throw new RuleError(text, word.at, `"${word.text}" is not ${what}: ${error.message}`, `write ${what} there`);
  }
}

type Options = Pick<PolicyTest, 'qos' | 'retain' | 'from' | 'via' | 'as'>;
type Mutable<T> = { -readonly [K in keyof T]: T[K] };

function parseOptions(text: string, words: readonly Word[]): Options {
  const found: Mutable<Options> = { qos: 0, retain: false, from: '', via: '', as: undefined };
  const seen = new Set<string>();
  for (let i = 0; i < words.length; i++) {
    const word = words[i] as Word;
    const kind = word.text.startsWith('qos') ? 'qos' : word.text;
    if (seen.has(kind)) throw new RuleError(text, word.at, `"${kind}" stands there twice`, 'write each option once');
    seen.add(kind);
    const value = words[i + 1] ?? { text: '', at: text.length, quoted: false };
    if (kind === 'retain') found.retain = true;
    else if (kind === 'qos') found.qos = parseQos(text, word);
    else if (kind === 'from') found.from = parseFrom(text, value);
    else if (kind === 'via') found.via = parseName(text, value);
    else if (kind === 'as') found.as = value.text.split(',').map((name) => parseName(text, { ...value, text: name }));
    else {
      const todo = 'options are qos=N, retain, from ADDRESS, via LISTENER and as ROLE,ROLE; quote a topic with a space';
      throw new RuleError(text, word.at, `"${word.text}" is not an option`, todo);
    }
    if (kind === 'from' || kind === 'via' || kind === 'as') i += 1;
  }
  return found;
}

function parseQos(text: string, word: Word): QoS {
  const qos = /^qos=([012])$/.exec(word.text)?.[1];
  if (qos !== undefined) return Number(qos) as QoS;
  throw new RuleError(text, word.at, `"${word.text}" is no QoS`, 'write qos=0, qos=1 or qos=2 without spaces');
}

function parseFrom(text: string, word: Word): string {
  if (isIP(word.text) !== 0) return word.text;
  throw new RuleError(text, word.at, `"${word.text}" is not an address`, 'write one address, such as 10.1.2.3');
}

function parseName(text: string, word: Word): string {
  const fault = nameFault(word.text);
  if (fault !== undefined)
    throw new RuleError(text, word.at, fault, 'write the name as the policy or motte.yaml has it');
  return word.text;
}

const ACTIONS: readonly Action[] = ['publish', 'subscribe', 'receive'];
const FORM = 'write WHO may publish TOPIC, or WHO may not subscribe FILTER';
