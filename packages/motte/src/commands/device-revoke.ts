// `motte device revoke NAME`: its certificates are taken back, and when the answer is there nothing of it is connected,
// queued or waiting any more. Without any certificate that is good it is disabled in the registry.

import { MotteError } from '@motte/admin/errors';
import { Option } from 'commander';
import { type CommandFile, textOption } from '../command.ts';
import { takeForeignAway } from '../data/foreign-taken-away.ts';
import { revokeDevice, revokedText } from '../data/taken-away.ts';

export const command: CommandFile = {
  configure: (command) => {
    command
      .argument('<name>', 'the device')
      .option('--ca <id>', 'one that this authority of tls.clientCa certifies: it is barred, whether registered or not')
      .option('--serial <serial>', 'only the certificate with this serial number, see `motte device show`')
      .addOption(
        new Option('--reason <reason>', 'as it stands in the revocation list').choices(REASONS).default('unspecified'),
      );
  },
  async run(context, [name = ''], options) {
    const ca = textOption(options, 'ca');
    if (ca !== undefined) {
      if (options['serial'] !== undefined || options['reason'] !== 'unspecified')
        throw new MotteError(
          'MOT-0002',
          '--ca revokes no certificate, which was not issued here: leave out --serial and --reason',
        );
      return takeForeignAway(context, { name, ca }, 'barred');
    }
    const serial = textOption(options, 'serial');
    const reason = textOption(options, 'reason') ?? 'unspecified';
    const revoked = await revokeDevice({
      place: context,
      name,
      certificates: { reason, ...(serial === undefined ? {} : { serial }) },
      settle: (registry, device, { number, good }) =>
        registry.change({ name }, good === 0 ? 'disabled' : device.state, number),
    });
    if (context.json) context.document({ format: 1, name, ...revoked, ended: revoked.ended ?? null });
    else context.say(`device ${name}: ${revokedText(revoked)}`);
    return 0;
  },
};

const REASONS = ['unspecified', 'keyCompromise', 'superseded', 'cessationOfOperation'];
