// `motte token list`: issuers, and what was revoked.

import type { CommandFile } from '../command.ts';
import { renderTable } from '../table.ts';
import { withTokens } from '../tokens/open-tokens.ts';

export const command: CommandFile = {
  configure: () => {},
  async run(context) {
    const { issuers, revocations } = await withTokens(context, (tokens) => tokens.list());
    if (context.json) {
      context.document({ format: 1, issuers, revocations });
      return 0;
    }
    const known = issuers.map(({ issuer, audience, names, kind, from, fault, jwks }) => {
      return [issuer, audience, names.join(',') || 'every', kind, from, fault ?? jwks];
    });
    context.say(renderTable(['ISSUER', 'AUDIENCE', 'NAMES', 'KIND', 'FROM', 'KEYS'], known));
    if (revocations.length === 0) return 0;
    const revoked = revocations.map(({ issuer, id, name, revoked: at, until = 'lifted' }) => {
      return [issuer, id === undefined ? `all of ${name}` : id, at, until];
    });
    context.say(`\n${renderTable(['REVOKED OF', 'TOKEN', 'AT', 'UNTIL'], revoked)}`);
    return 0;
  },
};
