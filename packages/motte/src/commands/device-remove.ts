// `motte device remove NAME`: revoked, and forgotten in the registry. The authority keeps the record of its certificates;
// the name can be given to another device.

import { type CommandFile, textOption } from '../command.ts';
import { takeForeignAway } from '../data/foreign-taken-away.ts';
import { revokeDevice, revokedText } from '../data/taken-away.ts';

export const command: CommandFile = {
  configure: (command) =>
    void command
      .argument('<name>', 'the device')
      .option('--ca <id>', 'one that this authority of tls.clientCa certifies'),
  async run(context, [name = ''], options) {
    const ca = textOption(options, 'ca');
    if (ca !== undefined) return takeForeignAway(context, { name, ca }, 'removed');
    const revoked = await revokeDevice({
      place: context,
      name,
      certificates: { reason: 'cessationOfOperation' },
      settle: (registry, _device, { number }) => registry.remove({ name }, number),
    });
    if (context.json) context.document({ format: 1, name, ...revoked, ended: revoked.ended ?? null });
    else context.say(`device ${name} is removed: ${revokedText(revoked)}`);
    return 0;
  },
};
