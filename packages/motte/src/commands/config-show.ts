// `motte config show`: what the file and the defaults come to, each value that is weaker than the default marked.

import type { CommandFile } from '../command.ts';

export const command: CommandFile = {
  configure: () => {},
  async run(context) {
    const { loadConfig } = await import('../config/config.ts');
    const { configDocument, renderConfig } = await import('../config/show.ts');
    const config = loadConfig(context.config);
    if (context.json) context.document(configDocument(config));
    else context.say(renderConfig(config).trimEnd());
    return 0;
  },
};
