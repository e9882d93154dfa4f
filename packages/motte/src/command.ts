// A command file's shape. The table names it, main loads it, commander parses for it.

import type { Command } from 'commander';
import type { Context } from './context.ts';

/** 0 done or yes · 1 the answer is no · 2 wrong usage · 3 broker cannot be reached · 4 configuration or data refused. */
export type Exit = 0 | 1 | 2 | 3 | 4;

export interface CommandFile {
  /** Adds arguments, options and examples. */
  configure(command: Command): void;
  run(context: Context, args: readonly (string | undefined)[], options: Options): Promise<Exit>;
}

/** Options as commander parsed them. */
export type Options = Readonly<Record<string, unknown>>;

/** An option's text, or undefined if it was not given. */
export function textOption(options: Options, name: string): string | undefined {
  const value = options[name];
  return typeof value === 'string' ? value : undefined;
}
