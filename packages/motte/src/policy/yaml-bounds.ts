// What a YAML text may cost, judged before it is parsed: the parser's walk is recursive, so that a text deep enough ends the
// process and not the walk; it compares each key of a map with all others; and it makes an error of every odd character.

import { POLICY_LIMITS } from '@motte/broker/policy';
import { type CST, Lexer, Parser } from 'yaml';

export interface BoundExceeded {
  readonly offset: number;
  readonly why: string;
}

/** Reads no further than to where a bound is exceeded. */
export function exceededBound(text: string): BoundExceeded | undefined {
  const parser = new Parser();
  let lexemes = 0;
  for (const lexeme of new Lexer().lex(text)) {
    for (const _token of parser.next(lexeme)) {
      // Whole documents, which are not needed here.
    }
    lexemes += 1;
    const why = whyExceeded(parser.stack, lexemes);
    if (why !== undefined) return { offset: parser.offset, why };
  }
  return undefined;
}

function whyExceeded(stack: readonly CST.Token[], lexemes: number): string | undefined {
  if (stack.length > NESTING_MAX) return 'is nested too deeply here';
  if (lexemes > LEXEMES_MAX) return 'is longer than any policy within the limits';
  const top = stack.at(-1);
  const isMap = top?.type === 'block-map' || (top?.type === 'flow-collection' && top.start.source === '{');
  return isMap && top.items.length > KEYS_MAX ? `has more than ${KEYS_MAX} keys in one section here` : undefined;
}

/** Of the parser's stack, which has the document and the text of a scalar on it, too. */
const NESTING_MAX = 24;
/** Rules, tests and members on lines of their own are five each, and there are keys and comments. */
const LEXEMES_MAX = 6 * (POLICY_LIMITS.rulesMax + POLICY_LIMITS.testsMax + POLICY_LIMITS.membersMax);
const KEYS_MAX = Math.max(POLICY_LIMITS.rolesMax, POLICY_LIMITS.groupsMax);
