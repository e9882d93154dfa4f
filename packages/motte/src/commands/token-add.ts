// `motte token add ISSUER`: an issuer whose tokens are taken, recorded in the data directory as an entry of
// `identity.tokens` would say it.

import { resolve } from 'node:path';
import { MotteError } from '@motte/admin/errors';
import { Option } from 'commander';
import { collect } from '../collect.ts';
import { type CommandFile, type Options, textOption } from '../command.ts';
import { withTokens } from '../tokens/open-tokens.ts';
import type { TokenEntry } from '../tokens/token-entry.ts';

export const command: CommandFile = {
  configure: (command) => {
    command
      .argument('<issuer>', 'exactly as in the claim iss')
      .option('--audience <text>', 'a text of the claim aud: this broker, and nothing else')
      .option('--jwks <place>', 'its public keys: a file, or an https address')
      .option('--jwks-ca <file>', 'the CA of the server at that address, if it is none that Node trusts')
      .option('--names <name>', 'a name that it may prove, or BEGINNING*; may be given several times', collect, [])
      .option('--name-claim <claim>', 'where the name stands (default: sub)')
      .option('--roles-claim <claim>', 'where the roles stand')
      .option('--role <role>', 'a role for all its tokens, or VALUE=ROLE for a value of that claim', collect, [])
      .addOption(new Option('--kind <kind>', 'what its names are (default: device)').choices(['device', 'user']))
      .option('--algorithm <name>', 'a signature that is taken, may be given several times', collect, [])
      .option('--clock-skew <seconds>', 'how far its clock may be off (default: 60)')
      .option('--admin', 'a token for the admin API (not in this version)');
  },
  async run(context, [issuer = ''], options) {
    if (options['admin'] === true) throw new MotteError('MOT-0003', '--admin');
    const entry = entryOf(issuer, options);
    const [row, where] = await withTokens(context, async (tokens, at) => [await tokens.add(entry), at] as const);
    if (context.json) {
      context.document({ format: 1, issuer: row });
      return 0;
    }
    const names = row.names.length === 0 ? 'every name' : row.names.join(', ');
    context.say(`tokens of ${row.issuer} for ${row.audience} are taken; they may prove ${names}`);
    context.say(`  who they prove is NAME@token:${row.issuer}`);
    if (Object.keys((entry['roles'] ?? {}) as object).length === 0)
      context.say('  they give no role: whoever comes may connect and no more; see --role and --roles-claim');
    if (row.fault !== undefined) context.warn(`motte: note: its keys cannot be read yet: ${row.fault}`);
    else if (where === 'offline')
      context.say('  from the next start on, on listeners with authentication: token or any');
    return 0;
  },
};

function entryOf(issuer: string, options: Options): TokenEntry {
  const audience = textOption(options, 'audience');
  const jwks = textOption(options, 'jwks');
  if (audience === undefined) throw new MotteError('MOT-0002', 'say whom its tokens are for: --audience TEXT');
  if (jwks === undefined) throw new MotteError('MOT-0002', 'say where its keys are: --jwks FILE or https://HOST/PATH');
  const jwksCa = textOption(options, 'jwksCa');
  const skew = textOption(options, 'clockSkew');
  if (skew !== undefined && !/^[0-9]{1,3}$/.test(skew)) throw new MotteError('MOT-0002', '--clock-skew takes seconds');
  const roles = listOf(options, 'role').map(roleOf);
  return given({
    issuer,
    audience,
    // Whatever has a scheme is judged as it stands.
    jwks: /^[A-Za-z][A-Za-z0-9+.-]*:\/\//.test(jwks) ? jwks : resolve(jwks),
    jwksCa: jwksCa === undefined ? undefined : resolve(jwksCa),
    names: some(listOf(options, 'names')),
    nameClaim: textOption(options, 'nameClaim'),
    rolesClaim: textOption(options, 'rolesClaim'),
    roles: roles.length === 0 ? undefined : Object.fromEntries(roles),
    kind: textOption(options, 'kind'),
    algorithms: some(listOf(options, 'algorithm')),
    clockSkewSeconds: skew === undefined ? undefined : Number(skew),
  });
}

/** A value may hold `=`, a role cannot. */
function roleOf(text: string): [string, string] {
  const at = text.lastIndexOf('=');
  return at === -1 ? ['*', text] : [text.slice(0, at), text.slice(at + 1)];
}

function listOf(options: Options, name: string): string[] {
  const value = options[name];
  return Array.isArray(value) ? value.map(String) : [];
}

function some(list: string[]): string[] | undefined {
  return list.length === 0 ? undefined : list;
}

function given(fields: Readonly<Record<string, unknown>>): TokenEntry {
  return Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined));
}
