// `motte ca crl`: the revocation list of Motte's own CA, for programs other than the broker, which does not need one. Printed,
// written to a file, or published: one file for each issuing CA, as `crl.url` in pki/authority.yaml has certificates name it.

import { renameSync, writeFileSync } from 'node:fs';
import { join, resolve } from 'node:path';
import { MotteError } from '@motte/admin/errors';
import { type CommandFile, textOption } from '../command.ts';
import { askAuthority } from '../data/ask-authority.ts';
import { saidOfNewFile } from '../data/said.ts';

export const command: CommandFile = {
  configure: (command) =>
    void command
      .option('--out <file>', 'write it there, over an older one, instead of printing it')
      .option('--dir <directory>', 'write one file of DER for each issuing CA, for a web server to publish'),
  async run(context, _args, options) {
    const [out, directory] = [textOption(options, 'out'), textOption(options, 'dir')];
    if (out !== undefined && directory !== undefined) throw new MotteError('MOT-0002', 'give --out or --dir, not both');
    const { crlFiles } = await import('@motte/pki');
    const pem = await askAuthority(context, (ca) => ca.crl());
    if (directory !== undefined) {
      const files = await crlFiles(pem);
      const paths = files.map(({ name, der }) => write(join(resolve(directory), name), der));
      if (context.json) context.document({ format: 1, files: paths });
      else context.say(paths.join('\n'));
    } else if (out !== undefined) {
      const path = write(resolve(out), pem);
      if (context.json) context.document({ format: 1, file: path });
      else context.say(path);
    } else if (context.json) context.document({ format: 1, crl: pem });
    else context.say(pem.trimEnd());
    return 0;
  },
};

/** Whoever fetches it meanwhile gets the older one whole. */
function write(path: string, content: string | Buffer): string {
  try {
    writeFileSync(`${path}.new`, content, { mode: 0o644 });
    renameSync(`${path}.new`, path);
    return path;
  } catch (fault) {
    throw new MotteError('MOT-0605', `${path}: ${saidOfNewFile(fault)}`, { cause: fault });
  }
}
