// `motte policy learn CLIENT`: watches what an identity does and prints the narrowest rules for it, for review. Applies nothing.
// 0 there is a proposal · 1 nothing was seen.

import { basename, dirname, resolve } from 'node:path';
import { MotteError, openAdmin, type Proposal } from '@motte/admin';
import { WATCH_LIMITS } from '@motte/broker/ports/watch';
import { type CommandFile, textOption } from '../command.ts';
import type { Context } from '../context.ts';
import { parseDuration } from '../data/duration.ts';
import { ONE_FILE, reserveFiles } from '../data/new-files.ts';
import { counted } from '../policy/say-report.ts';

export const command: CommandFile = {
  configure: (command) => {
    command
      .argument('<client>', 'an identity as `motte who` shows it: NAME, or NAME@REALM')
      .option(
        '--for <time>',
        'how long, such as 10m or 7d, which is the most (default 1h); Ctrl-C ends it and proposes',
      )
      .option('--out <file>', 'the proposal into a new file; nothing is overwritten');
  },
  async run(context, [identity = ''], options) {
    const seconds = parseDuration(textOption(options, 'for') ?? '1h', '--for', {
      min: 1,
      max: WATCH_LIMITS.secondsMax,
    });
    const out = textOption(options, 'out');
    const path = out === undefined ? undefined : resolve(out);
    const files =
      path === undefined ? undefined : reserveFiles(dirname(path), [{ name: basename(path), mode: 0o600 }], ONE_FILE);
    let proposal: Proposal;
    try {
      proposal = await watch(context, identity, seconds);
    } catch (fault) {
      files?.discard();
      throw fault;
    }
    const isEmpty = proposal.rules.length === 0;
    if (isEmpty) files?.discard();
    else if (path !== undefined) files?.write(new Map([[basename(path), proposal.text]]));
    const written = isEmpty || path === undefined ? null : path;
    if (context.json) context.document({ format: 1, proposal, written });
    else {
      if (!isEmpty && written === null) context.say(proposal.text.trimEnd());
      context.warn(`motte: ${summaryOf(proposal)}${written === null ? '' : `; they are in ${out}`}`);
    }
    return isEmpty ? 1 : 0;
  },
};

/** Until the time is over, the broker ends, or a signal ends it; a second signal ends the process where it stands. */
async function watch(context: Context, identity: string, seconds: number): Promise<Proposal> {
  const admin = openAdmin(context.data);
  let isTold = false;
  const enough = (): void => {
    // If the broker cannot be told any more, the loop below is told so, too.
    admin.endWatch(identity).catch(() => undefined);
  };
  try {
    for await (const line of admin.watch({ identity, seconds })) {
      if ('proposal' in line) return line.proposal;
      if (isTold) continue;
      isTold = true;
      process.once('SIGINT', enough).once('SIGTERM', enough);
      context.warn(`motte: watching ${identity}; Ctrl-C ends it and proposes what was seen until then`);
    }
  } finally {
    process.off('SIGINT', enough).off('SIGTERM', enough);
  }
  throw new MotteError('MOT-0503', 'it ended before it had anything to propose');
}

function summaryOf({ identity, rules, seen, refused }: Proposal): string {
  const what = `${counted(seen.topics, 'topic')} and ${counted(seen.filters, 'filter')}`;
  const not = refused.length === 0 ? '' : `; refused meanwhile, and not proposed: ${refused.length}`;
  if (rules.length === 0) return `${identity} did nothing that a rule could be made of${not}`;
  return `${counted(rules.length, 'rule')} for what ${identity} did, ${what}${not}`;
}
