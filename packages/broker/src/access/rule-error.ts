// What is wrong with a line of the policy, a rule or a test: where, why, and what to write instead.

export class RuleError extends Error {
  /** Where in the line, from 0. */
  readonly at: number;
  readonly why: string;
  readonly todo: string;

  constructor(text: string, at: number, why: string, todo: string) {
    super(`"${text}" cannot be read: ${why}; ${todo}`);
    this.name = 'RuleError';
    this.at = at;
    this.why = why;
    this.todo = todo;
  }
}

/** The first character that only looks at home in ASCII text, such as a Cyrillic letter or a no-break space; for people. */
export function oddCharacter(text: string): string | undefined {
  for (const character of text) {
    const point = character.codePointAt(0) as number;
    if (point >= 0x20 && point < 0x7f) continue;
    return `U+${point.toString(16).toUpperCase().padStart(4, '0')}`;
  }
  return undefined;
}
