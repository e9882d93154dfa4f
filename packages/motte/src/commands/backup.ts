// `motte backup FILE`: everything of a broker, running or not, in one encrypted file. The broker's part is encrypted here, the
// authority's by the authority: its keys never leave it readable.

import { resolve } from 'node:path';
import type { MadeBackup } from '../backup/make.ts';
import type { CommandFile } from '../command.ts';
import type { Context } from '../context.ts';
import { countOf } from '../table.ts';

export const command: CommandFile = {
  configure: (command) => {
    command
      .argument('<file>', 'where it goes; never over a file that is there')
      .option(
        '--recipient <age1...>',
        'an age recipient who can open it, may be given several times',
        collect,
        [] as string[],
      )
      .option(
        '--passphrase-file <file>',
        'or a passphrase: the first line of this file (without either it is asked for)',
      )
      .addHelpText(
        'after',
        '\nIn it: sessions, queues, retained messages, wills, the registry of devices, motte.yaml, and the CA with its keys.' +
          '\nNot in it: a certificate of your own that tls.certificate names.' +
          '\n`motte restore FILE --verify` looks at it and changes nothing.',
      );
  },
  async run(context, [given = ''], options) {
    const { backupTo } = await import('../backup/keys.ts');
    const to = await backupTo(options);
    const { createBackupFile } = await import('../backup/write-file.ts');
    const { createProgress } = await import('../backup/progress.ts');
    const { catchInterrupts } = await import('../backup/interrupt.ts');
    const { makeBackup } = await import('../backup/make.ts');
    const path = resolve(given);
    const progress = createProgress(process.stderr);
    const interrupts = catchInterrupts();
    const file = await createBackupFile(path);
    try {
      const made = await makeBackup(context, file, to, (...state) => {
        interrupts.check();
        progress.show(...state);
      });
      progress.end();
      say(context, path, made);
      return 0;
    } finally {
      progress.end();
      await file.discard();
      interrupts.end();
    }
  },
};

function say(context: Context, path: string, { head, bytes, parts, facts, where }: MadeBackup): void {
  const { findings, sessions, queued, retained, identities, records } = facts;
  if (context.json) {
    const counts = { identities, sessions, queued, retained, records };
    context.document({ format: 1, file: path, bytes, ...head, where, parts, counts, findings });
    return;
  }
  context.say(`${path} is whole: ${bytes} bytes, from the ${where === 'running' ? 'running' : 'stopped'} broker`);
  context.say(
    `  ${identities} ${identities === 1 ? 'identity' : 'identities'}, ${countOf(sessions, 'session')}, ${countOf(queued, 'queued message')}, ${countOf(retained, 'retained message')}`,
  );
  context.say(`  CA ${head.ca}`);
  for (const finding of findings) context.warn(`motte: note: ${finding}`);
}

function collect(value: string, before: string[]): string[] {
  return [...before, value];
}
