// The program: global options, the one command that was called, and one place where errors become lines and exit codes.

import { MotteError } from '@motte/admin/errors';
import { VERSION } from '@motte/broker/ports/version';
import { Command, CommanderError } from 'commander';
import type { CommandFile, Options } from './command.ts';
import { COMMANDS, type CommandRow, LATER, NOUNS } from './commands/table.ts';
import { createContext, type GlobalOptions } from './context.ts';
import { report } from './report.ts';

/** Runs the program; the exit code is left in process.exitCode. Never throws. */
export async function main(argv: string[]): Promise<void> {
  process.umask(0o077);
  for (const stream of [process.stdout, process.stderr]) {
    // A reader that went away, as in `motte who | head`, is no reason for a stack trace.
    stream.on('error', (fault: NodeJS.ErrnoException) => {
      if (fault.code === 'EPIPE') process.exit(process.exitCode ?? 0);
    });
  }
  try {
    process.exitCode = await run(argv);
  } catch (fault) {
    process.exitCode = report(fault, argv.includes('--debug'));
  }
}

async function run(argv: readonly string[]): Promise<number> {
  const words = wordsOf(argv);
  const row = COMMANDS.find((one) => one.words === words.join(' ') || one.words === words[0]);
  if (row === undefined) refuseLater(words);
  const file = row === undefined ? undefined : (await row.load()).command;
  let exit = 0;
  const program = buildProgram(row, file, (code) => {
    exit = code;
  });
  try {
    await program.parseAsync([...argv], { from: 'user' });
  } catch (fault) {
    if (!(fault instanceof CommanderError)) throw fault;
    if (fault.exitCode === 0) return 0;
    if (fault.code === 'commander.help') throw new MotteError('MOT-0002', 'a command is missing');
    throw new MotteError('MOT-0002', fault.message.replace(/^error: /, '').replace(/\.?\n/g, '. '));
  }
  return exit;
}

/** The first two words that are not options: enough to know the command. */
function wordsOf(argv: readonly string[]): string[] {
  const words: string[] = [];
  for (let i = 0; i < argv.length && words.length < 2; i++) {
    const word = argv[i] ?? '';
    if (word === '--data' || word === '--config') i++;
    else if (word === '--') break;
    else if (!word.startsWith('-')) words.push(word);
  }
  return words;
}

function refuseLater(words: readonly string[]): void {
  for (const name of [words.join(' '), words[0] ?? ''])
    if (LATER.has(name)) throw new MotteError('MOT-0003', `motte ${name}`);
}

function buildProgram(
  called: CommandRow | undefined,
  file: CommandFile | undefined,
  done: (exit: number) => void,
): Command {
  const program = settle(new Command('motte'))
    .description('Motte: an MQTT broker for industrial automation, locked at every layer on first start')
    .version(VERSION, '--version')
    .enablePositionalOptions();
  const nouns = new Map<string, Command>();
  for (const row of COMMANDS) {
    const [noun = '', verb] = row.words.split(' ');
    let parent = program;
    if (verb !== undefined) {
      parent = nouns.get(noun) ?? settle(program.command(noun)).description(NOUNS[noun] ?? '');
      nouns.set(noun, parent);
    }
    const command = settle(parent.command(verb ?? noun, { hidden: row.hidden === true })).description(row.says);
    if (row !== called || file === undefined) continue;
    file.configure(command);
    command.action(async () => {
      const options: Options & GlobalOptions = command.optsWithGlobals();
      done(await file.run(createContext(options, process.env), command.processedArgs, options));
    });
  }
  return program;
}

/** Global options stand before the noun or after the verb, so every level knows them. */
function settle(command: Command): Command {
  return (
    command
      .option('--data <dir>', 'data directory (MOTTE_DATA, default ./motte-data)')
      .option('--config <file>', 'configuration (default motte.yaml in the data directory)')
      .option('--json', 'one JSON document instead of text')
      // Scripts may always say it; so far nothing is asked but secrets, which it does not answer.
      .option('--yes', 'answers yes to what would be asked')
      .option('--debug', 'stack traces')
      .helpOption('--help', 'what it does and takes')
      .helpCommand(false)
      .exitOverride()
      .configureOutput({ outputError: () => {} })
      .showSuggestionAfterError(true)
  );
}
