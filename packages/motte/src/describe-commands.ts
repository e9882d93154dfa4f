// Every command as data, for the reference: read from the same table and files that the program runs.

import { Command } from 'commander';
import { COMMANDS } from './commands/table.ts';

export interface CommandDescription {
  readonly usage: string;
  readonly says: string;
  readonly args: readonly (readonly [term: string, text: string])[];
  readonly options: readonly (readonly [term: string, text: string])[];
}

/** The visible commands in the order of the table. */
export async function describeCommands(): Promise<CommandDescription[]> {
  const described: CommandDescription[] = [];
  for (const { words, says, hidden, load } of COMMANDS) {
    if (hidden === true) continue;
    const { command: file } = await load();
    const command = new Command(words);
    file.configure(command);
    const args = command.registeredArguments.map((one) => {
      const name = one.variadic ? `${one.name()}...` : one.name();
      return { term: one.required ? `<${name}>` : `[${name}]`, text: one.description };
    });
    described.push({
      usage: ['motte', words, ...args.map(({ term }) => term)].join(' '),
      says,
      args: args.map(({ term, text }) => [term, text] as const),
      options: command.options.map(({ flags, description, argChoices, defaultValue }) => {
        const preset = defaultValue === undefined ? '' : `; default ${String(defaultValue)}`;
        const choices = argChoices === undefined ? '' : ` (${argChoices.join(', ')}${preset})`;
        return [flags, `${description}${choices}`] as const;
      }),
    });
  }
  return described;
}
