// `motte config check [FILE]`: parses and checks, starts nothing. 0 right · 4 refused.

import { resolve } from 'node:path';
import type { CommandFile } from '../command.ts';

export const command: CommandFile = {
  configure: (command) => void command.argument('[file]', 'instead of --config'),
  async run(context, [file]) {
    const { ConfigRefused, loadConfig } = await import('../config/config.ts');
    const { expiredWaivers } = await import('../config/weaker.ts');
    const source = file === undefined ? context.config : { path: resolve(file), explicit: true };
    try {
      const config = loadConfig(source);
      const findings = expiredWaivers(config.settings, Date.now());
      if (context.json) context.document({ format: 1, file: config.file ?? null, ok: true, mistakes: [], findings });
      else {
        context.say(config.file === undefined ? `ok: no ${source.path}, the defaults apply` : `ok: ${config.file}`);
        for (const { why } of findings) context.say(why);
      }
      return 0;
    } catch (fault) {
      if (context.json && fault instanceof ConfigRefused) {
        context.document({ format: 1, file: fault.file, ok: false, mistakes: fault.mistakes, findings: [] });
      }
      throw fault;
    }
  },
};
