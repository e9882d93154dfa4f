// The words of a line of the policy: apart by spaces or tabs, or in single quotes, where a quote is written twice.

import { RuleError } from './rule-error.ts';

export interface Word {
  readonly text: string;
  /** Where it begins in the line, from 0. */
  readonly at: number;
  readonly quoted: boolean;
}

/** Throws RuleError for a quote that is never closed or not followed by a space. */
export function splitWords(text: string): Word[] {
  const words: Word[] = [];
  for (let at = 0; at < text.length; ) {
    if (isSpace(text, at)) {
      at += 1;
      continue;
    }
    const start = at;
    if (text[at] === "'") {
      const { word, end } = quotedWord(text, start);
      at = end;
      words.push({ text: word, at: start, quoted: true });
    } else {
      while (at < text.length && !isSpace(text, at)) at += 1;
      words.push({ text: text.slice(start, at), at: start, quoted: false });
    }
  }
  return words;
}

function quotedWord(text: string, start: number): { word: string; end: number } {
  let word = '';
  let at = start + 1;
  for (; ; at++) {
    if (at >= text.length) {
      throw new RuleError(text, start, 'a single quote is never closed', "end the filter with another '");
    }
    if (text[at] === "'") {
      if (text[at + 1] !== "'") break;
      at += 1;
    }
    word += text[at];
  }
  const end = at + 1;
  if (end < text.length && !isSpace(text, end)) {
    throw new RuleError(text, end, 'text follows directly on a closing quote', 'put a space between them');
  }
  return { word, end };
}

function isSpace(text: string, at: number): boolean {
  return text[at] === ' ' || text[at] === '\t';
}
