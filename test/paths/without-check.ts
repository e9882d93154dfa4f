// Finds every place where the core asks for a right, and takes one of them away: the source of one file with one question answered with
// yes. By the text of the sources, so that a check that is added is found without being listed.

import { readdirSync, readFileSync } from 'node:fs';
import { join, relative } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Plugin } from 'vitest/config';

export interface Check {
  /** Below the sources of the core. */
  readonly file: string;
  readonly line: number;
  readonly text: string;
  /** Where the question begins and ends in the file. */
  readonly from: number;
  readonly to: number;
  /** What stands there without the check. */
  readonly instead: string;
}

const CORE = fileURLToPath(new URL('../../packages/broker/src/core', import.meta.url));

/** In the order of files and lines. */
export function findChecks(): Check[] {
  return sources(CORE).flatMap((path) => checksOf(path));
}

/** Serves the core without one of its checks. */
export function withoutCheck(check: Check): Plugin {
  return {
    name: 'without-check',
    enforce: 'pre',
    transform(code, id) {
      if (id.split('?')[0] !== join(CORE, check.file)) return undefined;
      return { code: code.slice(0, check.from) + check.instead + code.slice(check.to), map: null };
    },
  };
}

function sources(directory: string): string[] {
  return readdirSync(directory, { recursive: true, encoding: 'utf8' })
    .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
    .map((name) => join(directory, name))
    .sort();
}

function checksOf(path: string): Check[] {
  const text = readFileSync(path, 'utf8');
  return [...text.matchAll(QUESTION)].map((match) => {
    const { index } = match;
    const line = text.slice(0, index).split('\n').length;
    return {
      file: relative(CORE, path),
      line,
      text: (text.split('\n')[line - 1] ?? '').trim(),
      from: index,
      to: index + match[0].length - 1,
      instead: YES[(match[1] ?? match[2]) as keyof typeof YES],
    };
  });
}

/** The function that is called, up to its opening parenthesis; not where it is declared. */
const QUESTION =
  /(?<!function )\b(?:(?:core|parts)\.access\.(publish|subscribe|receive|receiveMessage)|(mayReceive|isStillAllowed|ownsClientId))\(/g;

const VERDICT = '((..._: unknown[]) => ({ allow: true as const }))';
const TRUE = '((..._: unknown[]) => true)';
const YES = {
  publish: VERDICT,
  subscribe: VERDICT,
  receive: "((..._: unknown[]) => 'always' as const)",
  receiveMessage: TRUE,
  mayReceive: TRUE,
  isStillAllowed: TRUE,
  ownsClientId: TRUE,
} as const;
