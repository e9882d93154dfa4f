// Goldens: golden/*.txt holds cases, each a file's text, a line `=>`, and what comes of it: the mistakes with line and
// column, or `ok` and the keys that are weaker than the default. `UPDATE_GOLDENS=1` rewrites them for review.

import { readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { ConfigRefused, parseText } from './config.ts';
import { mistakeText } from './mistakes.ts';
import { weakerSettings } from './weaker.ts';

const folder = new URL('./golden/', import.meta.url);
const CASE_END = '\n=====\n';

describe.each(readdirSync(folder).filter((name) => name.endsWith('.txt')))('motte.yaml, %s', (name) => {
  const path = new URL(name, folder);
  const cases = readFileSync(path, 'utf8')
    .split(CASE_END)
    .filter((text) => text.trim() !== '')
    .map((text) => {
      const [input = '', output = ''] = text.startsWith('=>\n') ? ['', text.slice(3)] : text.split('\n=>\n');
      return { input: input === '' ? '' : `${input}\n`, output };
    });
  if (process.env['UPDATE_GOLDENS'] === '1') {
    writeFileSync(path, cases.map(({ input }) => `${input}=>\n${outcome(input)}${CASE_END}`).join(''));
  }
  it.each(cases)('$input', ({ input, output }) => {
    if (process.env['UPDATE_GOLDENS'] !== '1') expect(outcome(input)).toBe(output);
  });
});

function outcome(text: string): string {
  try {
    const weaker = weakerSettings(parseText(text, 'motte.yaml'));
    return ['ok', ...weaker.map(({ key, value }) => `weaker ${key} = ${JSON.stringify(value)}`)].join('\n');
  } catch (fault) {
    if (!(fault instanceof ConfigRefused)) throw fault;
    return fault.mistakes.map((mistake) => mistakeText('motte.yaml', mistake)).join('\n');
  }
}
