// `motte ca crl`: the revocation list of Motte's own CA, for programs other than the broker, which does not need one.

import { writeFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { MotteError } from '@motte/admin/errors';
import { type CommandFile, textOption } from '../command.ts';
import { said } from '../data/said.ts';

export const command: CommandFile = {
  configure: (command) =>
    void command.option('--out <file>', 'write it there, over an older one, instead of printing it'),
  async run(context, _args, options) {
    const { withAuthority } = await import('@motte/pki');
    const pem = await withAuthority(context.data, (ca) => ca.crl());
    const out = textOption(options, 'out');
    if (out !== undefined) {
      const path = resolve(out);
      try {
        writeFileSync(path, pem, { mode: 0o644 });
      } catch (fault) {
        throw new MotteError('MOT-0605', `${path}: ${said(fault)}`, { cause: fault });
      }
      if (context.json) context.document({ format: 1, file: path });
      else context.say(path);
      return 0;
    }
    if (context.json) context.document({ format: 1, crl: pem });
    else context.say(pem.trimEnd());
    return 0;
  },
};
