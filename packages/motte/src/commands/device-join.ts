// `motte device join --for TIME`: for a while devices may ask without a token. Nothing is issued before somebody approved.

import { MotteError } from '@motte/admin/errors';
import { collect } from '../collect.ts';
import { type CommandFile, textOption } from '../command.ts';
import { askAuthority } from '../data/ask-authority.ts';
import { parseDuration } from '../data/duration.ts';
import { enrolUrlOf, whyNotOpen } from '../data/enrol-address.ts';
import { parseRoles } from '../data/roles.ts';
import { storedPolicy } from '../policy/stored-policy.ts';

export const command: CommandFile = {
  configure: (command) => {
    command
      .option('--for <time>', 'how long, such as 10m; at most 24h')
      .option('--close', 'end it now')
      .option(
        '--role <role>',
        'a role of who joins, may be given several times (default: device)',
        collect,
        [] as string[],
      )
      .option('--url <url>', 'the address at which devices reach this broker');
  },
  async run(context, _args, options) {
    const time = textOption(options, 'for');
    const close = options['close'] === true;
    if (close === (time !== undefined))
      throw new MotteError('MOT-0002', 'motte device join takes --for TIME or --close');
    const given = options['role'];
    const names = Array.isArray(given) && given.length > 0 ? given.map(String) : ['device'];
    const roles = parseRoles(names, storedPolicy(context.data));
    const { groupFingerprint, JOIN_SECONDS_MAX } = await import('@motte/pki');
    const seconds = time === undefined ? 0 : parseDuration(time, '--for', { min: 1, max: JOIN_SECONDS_MAX });
    const url = close ? '' : await enrolUrlOf(context, textOption(options, 'url'));
    const { endsAt, ca } = await askAuthority(context, async (authority) => ({
      ...(await authority.openJoin({ roles, seconds })),
      ca: (await authority.caInfo()).fingerprint,
    }));
    const command = close ? '' : `motte enrol ${url} --name NAME --ca ${ca}`;
    if (context.json) context.document({ format: 1, join: { until: endsAt, roles, url, command, ca } });
    else if (close) context.say('devices may not ask without a token any more');
    else {
      context.say(`until ${endsAt} devices may ask without a token, roles: ${roles.join(', ')}`);
      context.say('on the device:');
      context.say(`  ${command}`);
      context.say(`the CA is ${groupFingerprint(ca)}`);
      context.say('then compare fingerprints here: motte device requests, motte device approve ID');
    }
    const closed = close ? undefined : await whyNotOpen(context);
    if (closed !== undefined) context.warn(`motte: note: nobody can ask now: ${closed}`);
    return 0;
  },
};
