// `motte config schema`: JSON either way.

import type { CommandFile } from '../command.ts';

export const command: CommandFile = {
  configure: () => {},
  async run(context) {
    const { jsonSchema } = await import('../config/schema.ts');
    context.document(jsonSchema());
    return 0;
  },
};
