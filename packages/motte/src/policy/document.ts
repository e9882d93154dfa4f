// A policy as YAML text: every mistake with line and column, every rule with its place. What rules and tests mean is
// access's; here is where they stand. An empty file is a policy: it allows nothing.

import { MotteError } from '@motte/admin/errors';
import { POLICY_LIMITS, type Policy } from '@motte/broker/policy';
import { type Document, isScalar } from 'yaml';
import { parseYaml } from '../config/document.ts';
import { type Mistake, mistakeText } from '../config/mistakes.ts';
import { Places } from '../config/places.ts';
import { exceededBound } from '../config/yaml-bounds.ts';
import { readPolicy } from './read-policy.ts';

/** MOT-0902 with the mistakes, each printed as FILE:LINE:COLUMN. */
export class PolicyRefused extends MotteError {
  readonly file: string;
  readonly mistakes: readonly Mistake[];
  /** `FILE:LINE:COLUMN: what: why`, one for each. */
  readonly lines: readonly string[];
  /** Of all, also of those that are not told of. */
  readonly count: number;

  /** `count`: where there were more than are given. */
  constructor(file: string, all: readonly Mistake[], count = all.length) {
    const mistakes = [...all].sort((a, b) => a.line - b.line || a.column - b.column).slice(0, MISTAKES_MAX);
    const lines = mistakes.map((mistake) => mistakeText(file, mistake));
    super('MOT-0902', count === 1 ? (lines[0] ?? '') : `${count} mistakes in ${file}`);
    this.file = file;
    this.mistakes = mistakes;
    this.lines = lines;
    this.count = count;
  }
}

/** `file` is its name for people, and stands in every place. Throws PolicyRefused. */
export function parsePolicy(text: string, file: string): Policy {
  if (text.length > POLICY_LIMITS.bytesMax) throw refused(file, 'is larger than 1 MiB');
  const exceeded = exceededBound(text, BOUNDS);
  if (exceeded !== undefined) throw refused(file, exceeded.why, new Places(text, file).at(exceeded.offset));
  const { document, mistakes } = parseYaml(text);
  if (document.errors.length === 0 && isEmpty(document)) return readPolicy(undefined, text, file, mistakes);
  if (mistakes.list.length > 0) throw new PolicyRefused(file, mistakes.list);
  const policy = readPolicy(document.contents, text, file, mistakes);
  if (mistakes.list.length > 0) throw new PolicyRefused(file, mistakes.list);
  return policy;
}

function refused(file: string, why: string, at = { line: 1, column: 1 }): PolicyRefused {
  return new PolicyRefused(file, [{ ...at, what: 'the file', why }]);
}

function isEmpty({ contents }: Document): boolean {
  return contents === null || (isScalar(contents) && contents.value === null);
}

const MISTAKES_MAX = 50;

const BOUNDS = {
  // Rules, tests and members on lines of their own are six each, and there are keys and comments.
  lexemesMax: 8 * (POLICY_LIMITS.rulesMax + POLICY_LIMITS.testsMax + POLICY_LIMITS.membersMax),
  keysMax: Math.max(POLICY_LIMITS.rolesMax, POLICY_LIMITS.groupsMax),
};
