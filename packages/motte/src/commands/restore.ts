// `motte restore FILE`: a data directory from a backup, where none is yet; with --verify only a look at all of it. What is
// wrong with a file ends with exit 4, or with 1 where that was the question.

import { resolve } from 'node:path';
import { isErrorCode, MotteError } from '@motte/admin/errors';
import type { Amended, LaterSources } from '../backup/later-sources.ts';
import type { OpenBackup } from '../backup/read-file.ts';
import type { BackupContent, Taker } from '../backup/read-parts.ts';
import type { CommandFile, Options } from '../command.ts';
import type { Context } from '../context.ts';
import { report } from '../report.ts';
import { countOf } from '../table.ts';

export const command: CommandFile = {
  configure: (command) => {
    command
      .argument('<file>', 'what `motte backup` wrote')
      .option('--verify', 'read and check all of it, change nothing')
      .option(
        '--identity <file>',
        'the key it was encrypted to, as age-keygen writes it, may be given several times',
        collect,
        [] as string[],
      )
      .option('--passphrase-file <file>', 'the passphrase: the first line of this file (without it it is asked for)')
      .option(
        '--revocations <path>',
        'what was revoked after the backup: the old data directory, its pki/revoked.jsonl, or a list of `motte ca crl`; may be given several times',
        collect,
        [] as string[],
      )
      .option('--accept-lost-revocations', 'restore although nobody knows what was revoked after the backup')
      .addHelpText(
        'after',
        '\nThe data directory must not exist or be empty. Stop the old broker for good first: two that were one deliver twice.' +
          '\nWho was revoked since the backup stays revoked by what --revocations names; without it the restore is refused.',
      );
  },
  async run(context, [given = ''], options) {
    const path = resolve(given);
    if (options['verify'] !== true) return restore(context, path, options);
    if (revocationsOf(options).length > 0 || options['acceptLostRevocations'] === true)
      throw new MotteError(
        'MOT-0002',
        '--verify restores nothing, so it takes neither --revocations nor --accept-lost-revocations',
      );
    try {
      const { head, content, bytes } = await withBackup(path, options, undefined);
      const { findings } = content.broker;
      const ok = findings.length === 0;
      if (context.json) context.document({ format: 1, ok, file: path, bytes, ...head, ...countsOf(content), findings });
      else {
        context.say(`${path} ${ok ? 'is whole and can be restored' : 'can be restored, but:'}`);
        for (const finding of findings) context.say(`  ${finding}`);
        sayContent(context, content, head.made);
      }
      return ok ? 0 : 1;
    } catch (fault) {
      const { code, why } = fault as MotteError;
      if (!isAnswer(fault)) throw fault;
      if (context.json) context.document({ format: 1, ok: false, file: path, code, why });
      report(fault, false);
      return 1;
    }
  },
};

async function restore(context: Context, path: string, options: Options): Promise<0> {
  const { checkTarget, createTarget } = await import('../backup/restore-data.ts');
  const { REGISTRY_FILE, TOKENS_FILE } = await import('../backup/source.ts');
  const { amendRegistry, amendTokens, readLaterSources } = await import('../backup/later-sources.ts');
  checkTarget(context.data);
  const named = revocationsOf(options).map((one) => resolve(one));
  let sources: LaterSources = { lists: [], registries: [], tokens: [] };
  let amended: Omit<Amended, 'text'> = { removed: [], disabled: [] };
  let tokens = 0;
  const { head, content, bytes } = await withBackup(path, options, {
    before: async () => {
      sources = await readLaterSources(named, options['acceptLostRevocations'] === true);
    },
    make: async () => ({ ...(await createTarget(context.data)), later: sources.lists }),
    after: async (target, { merged: { gone } }) => {
      await target.amend(REGISTRY_FILE, (text) => {
        if (text === undefined) return undefined;
        const { text: next, ...what } = amendRegistry(text, sources, gone);
        amended = what;
        return next;
      });
      await target.amend(TOKENS_FILE, (text) => {
        const { text: next, removed, revoked } = amendTokens(text, sources);
        amended = { ...amended, removed: [...amended.removed, ...removed] };
        tokens = revoked;
        return next;
      });
    },
  });
  const { findings } = content.broker;
  const { merged } = content.merged;
  if (context.json) {
    const revocations = { from: named, merged, tokens, ...amended };
    const { data } = context;
    context.document({ format: 1, data, file: path, bytes, ...head, ...countsOf(content), revocations, findings });
    return 0;
  }
  context.say(`${context.data} is restored; start it with \`motte start\``);
  sayContent(context, content, head.made);
  if (named.length > 0) {
    context.say(
      `  ${countOf(merged, 'later revocation')} merged${tokens === 0 ? '' : `, and ${tokens} of tokens`}${namesOf('removed', amended.removed)}${namesOf('disabled', amended.disabled)}`,
    );
  } else
    context.warn(`motte: note: nobody knows what was revoked after ${head.made}: revoke it again before the start`);
  for (const finding of findings) context.warn(`motte: note: ${finding}`);
  return 0;
}

function namesOf(what: string, names: readonly string[]): string {
  return names.length === 0 ? '' : `; ${what}: ${names.join(', ')}`;
}

type Target = Awaited<ReturnType<typeof import('../backup/restore-data.ts')['createTarget']>> & Taker;

/** What a restore does around the reading; a look at the file does none of it. */
interface Restoring {
  /** Once the file is known to be whole. */
  readonly before: () => Promise<void>;
  readonly make: () => Promise<Target>;
  /** Before the directory gets its name. */
  readonly after: (target: Target, content: BackupContent) => Promise<void>;
}

/** Opens the file, then asks for keys, then makes the target, then reads: in the order in which people want to hear of it. */
async function withBackup(path: string, options: Options, restoring: Restoring | undefined) {
  const { openBackup } = await import('../backup/read-file.ts');
  const { backupKeys } = await import('../backup/keys.ts');
  const { createProgress } = await import('../backup/progress.ts');
  const { catchInterrupts } = await import('../backup/interrupt.ts');
  const { readParts } = await import('../backup/read-parts.ts');
  const progress = createProgress(process.stderr);
  const interrupts = catchInterrupts();
  let backup: OpenBackup | undefined;
  let target: Target | undefined;
  try {
    backup = await openBackup(path, (count, of) => {
      interrupts.check();
      progress.show('checksum', count, of);
    });
    progress.end();
    await restoring?.before();
    const keys = await backupKeys(options, backup.head.to);
    target = await restoring?.make();
    const content = await readParts(backup, keys, target, (...state) => {
      interrupts.check();
      progress.show(...state);
    });
    if (target !== undefined) await restoring?.after(target, content);
    await target?.finish();
    return { head: backup.head, bytes: backup.bytes, content };
  } finally {
    progress.end();
    await target?.discard();
    await backup?.close();
    interrupts.end();
  }
}

/** Whether what is wrong is the backup, and so the answer of --verify. */
function isAnswer(fault: unknown): boolean {
  const { code } = fault as { code?: unknown };
  return fault instanceof MotteError && isErrorCode(String(code)) && ANSWERS.has(String(code));
}

function countsOf({ broker, authority }: BackupContent) {
  const { identities, sessions, queued, retained, records, damaged } = broker;
  return { counts: { identities, sessions, queued, retained, records, damaged, certificates: authority.issued } };
}

function sayContent(context: Context, { broker, authority }: BackupContent, made: string): void {
  const { identities, sessions, queued, retained } = broker;
  context.say(
    `  ${identities} ${identities === 1 ? 'identity' : 'identities'}, ${countOf(sessions, 'session')}, ${countOf(queued, 'queued message')}, ${countOf(retained, 'retained message')}`,
  );
  context.say(`  as of ${made}; CA ${authority.fingerprint}`);
}

function revocationsOf(options: Options): string[] {
  const given = options['revocations'];
  return Array.isArray(given) ? given.map(String) : [];
}

function collect(value: string, before: string[]): string[] {
  return [...before, value];
}

const ANSWERS: ReadonlySet<string> = new Set(['MOT-0804', 'MOT-0805', 'MOT-0806', 'MOT-0807', 'MOT-0808']);
