// `motte token revoke ISSUER`: a token by its identifier, all tokens of a name, or the issuer itself. What rests on them has
// ended when the answer is there.

import { MotteError } from '@motte/admin/errors';
import type { TokenChoice } from '@motte/broker/ports/token-desk';
import { printable } from '@motte/broker/printable';
import { isDeviceName } from '@motte/pki/protocol';
import { type CommandFile, type Options, textOption } from '../command.ts';
import type { Context } from '../context.ts';
import { parseDuration } from '../data/duration.ts';
import { countOf } from '../table.ts';
import { withTokens } from '../tokens/open-tokens.ts';
import { ID_CHARACTERS_MAX, readToken } from '../tokens/read-token.ts';

export const command: CommandFile = {
  configure: (command) => {
    command
      .argument('<issuer>', 'see `motte token list`')
      .option('--id <jti>', 'the token with this identifier (claim jti)')
      .option('--token-file <file>', 'the token in this file, as long as it would live')
      .option('--name <name>', 'all tokens of this name, those made later included; all it has ends')
      .option('--all', 'the issuer itself: it is removed, and everything that its tokens proved ends')
      .option('--for <time>', 'only for this long, such as 24h; without it as long as the token lives, or for good')
      .option('--lift', 'take such a revocation back');
  },
  async run(context, [issuer = ''], options) {
    const named = WHATS.filter((what) => options[what] !== undefined);
    const list = '--id, --name, --token-file, --all';
    if (named.length === 0) throw new MotteError('MOT-0002', `say what: ${list}`);
    if (named.length > 1) throw new MotteError('MOT-0002', `only one of ${list}`);
    if (options['all'] === true) return removeIssuer(context, issuer, options);
    const seconds = textOption(options, 'for');
    const limitMs = seconds === undefined ? 0 : Date.now() + parseDuration(seconds, '--for') * 1000;
    const { choice, untilMs } = choose(issuer, options);
    const what = 'id' in choice ? `the token ${printable(choice.id)}` : `every token of ${choice.name}`;
    if (options['lift'] === true) {
      await withTokens(context, (tokens) => tokens.lift(choice));
      if (context.json) context.document({ format: 1, lifted: choice });
      else context.say(`${what} of ${issuer} is taken again`);
      return 0;
    }
    const { revocation, ...ended } = await withTokens(context, (tokens) => tokens.revoke(choice, limitMs || untilMs));
    if (context.json) context.document({ format: 1, revocation, ...ended });
    else {
      const until = revocation.until === undefined ? 'until it is lifted' : `until ${revocation.until}`;
      context.say(`${what} of ${issuer} is revoked ${until}, ${endedText(ended)}`);
    }
    return 0;
  },
};

async function removeIssuer(context: Context, issuer: string, options: Options): Promise<0> {
  for (const other of ['for', 'lift']) {
    if (options[other] !== undefined)
      throw new MotteError('MOT-0002', `--${other} goes with --id, --name or --token-file`);
  }
  const ended = await withTokens(context, (tokens) => tokens.remove(issuer));
  if (context.json) context.document({ format: 1, issuer, ...ended });
  else context.say(`the issuer ${issuer} is removed, ${endedText(ended)}`);
  return 0;
}

function choose(issuer: string, options: Options): { readonly choice: TokenChoice; readonly untilMs: number } {
  const [id, name, file] = (['id', 'name', 'tokenFile'] as const).map((option) => textOption(options, option));
  if (id !== undefined) {
    if (id === '' || id.length > ID_CHARACTERS_MAX)
      throw new MotteError('MOT-0002', `--id takes 1 to ${ID_CHARACTERS_MAX} characters`);
    return { choice: { issuer, id }, untilMs: 0 };
  }
  if (name !== undefined) {
    if (!isDeviceName(name)) throw new MotteError('MOT-0002', '--name takes a name as devices have it');
    return { choice: { issuer, name }, untilMs: 0 };
  }
  const token = readToken(file ?? '', issuer);
  return { choice: { issuer, id: token.id }, untilMs: token.endsAtMs };
}

function endedText({ connections, sessions }: { readonly connections: number; readonly sessions: number }): string {
  return `${countOf(connections, 'connection')} and ${countOf(sessions, 'session')} ended`;
}

const WHATS = ['id', 'name', 'tokenFile', 'all'] as const;
