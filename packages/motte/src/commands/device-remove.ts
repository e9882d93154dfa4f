// `motte device remove NAME`: revoked, and forgotten in the registry. The authority keeps the record of its certificates;
// the name can be given to another device.

import type { CommandFile } from '../command.ts';
import { revokeDevice, revokedText } from '../data/taken-away.ts';

export const command: CommandFile = {
  configure: (command) => void command.argument('<name>', 'the device'),
  async run(context, [name = '']) {
    const revoked = await revokeDevice({
      place: context,
      name,
      certificates: { reason: 'cessationOfOperation' },
      settle: (registry, _device, { number }) => registry.remove(name, number),
    });
    if (context.json) context.document({ format: 1, name, ...revoked, ended: revoked.ended ?? null });
    else context.say(`device ${name} is removed: ${revokedText(revoked)}`);
    return 0;
  },
};
