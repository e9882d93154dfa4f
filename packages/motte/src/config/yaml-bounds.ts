// What a YAML text may cost, judged before it is parsed: the parser's walk is recursive, so that a text deep enough ends the
// process and not the walk; it compares each key of a map with all others; and it makes an error of every odd character.

import { type CST, Lexer, Parser } from 'yaml';

export interface YamlBounds {
  /** Lexemes of the parser: a short entry of a list is five. */
  readonly lexemesMax: number;
  /** Keys of one section. */
  readonly keysMax: number;
}

export interface BoundExceeded {
  readonly offset: number;
  readonly why: string;
}

/** Reads no further than to where a bound is exceeded. */
export function exceededBound(text: string, bounds: YamlBounds): BoundExceeded | undefined {
  const parser = new Parser();
  let lexemes = 0;
  for (const lexeme of new Lexer().lex(text)) {
    for (const _token of parser.next(lexeme)) {
      // Whole documents, which are not needed here.
    }
    lexemes += 1;
    const why = whyExceeded(parser.stack, lexemes, bounds);
    if (why !== undefined) return { offset: parser.offset, why };
  }
  return undefined;
}

function whyExceeded(
  stack: readonly CST.Token[],
  lexemes: number,
  { lexemesMax, keysMax }: YamlBounds,
): string | undefined {
  if (stack.length > NESTING_MAX) return 'is nested too deeply here';
  if (lexemes > lexemesMax) return 'has more in it than any file within the limits';
  const top = stack.at(-1);
  const isMap = top?.type === 'block-map' || (top?.type === 'flow-collection' && top.start.source === '{');
  return isMap && top.items.length > keysMax ? `has more than ${keysMax} keys in one section here` : undefined;
}

/** Of the parser's stack, which has the document and the text of a scalar on it, too. */
const NESTING_MAX = 24;
