// `motte device renew NAME`: one more certificate for a registered device, for a new key or for a request of its own. The
// earlier one stays good until its end, so that the device can change over when it suits; --revoke-old ends that. A device
// that was disabled by `device revoke` may come again.

import { resolve } from 'node:path';
import { MotteError } from '@motte/admin/errors';
import { PSK_REALM } from '@motte/broker/ports/identity';
import { Option } from 'commander';
import { type CommandFile, textOption } from '../command.ts';
import { certifyDevice, KEY_TYPES, oneOf } from '../data/certified.ts';
import { withRegistry } from '../data/registered.ts';
import { revokeDevice, revokedText } from '../data/taken-away.ts';

export const command: CommandFile = {
  configure: (command) => {
    command
      .argument('<name>', 'the device')
      .option('--out <dir>', 'where the files go (default ./NAME); none that is there is overwritten')
      .option('--csr <file>', "certify this request of the device's own key; no key is made here")
      .addOption(
        new Option('--key-type <type>', 'kind of key: P-256, P-384, RSA of 2048 or 3072 bits')
          .choices([...KEY_TYPES])
          .default('ec'),
      )
      .option('--revoke-old', 'revoke its earlier certificates: what is connected by them ends, its session stays');
  },
  async run(context, [name = ''], options) {
    const directory = resolve(textOption(options, 'out') ?? name);
    const csrFile = textOption(options, 'csr');
    const keyType = oneOf(KEY_TYPES, options['keyType']);
    const certified = await withRegistry(context, async (registry) => {
      const device = await registry.find(name);
      if (device === undefined) throw new MotteError('MOT-0603', name);
      if (device.realm === PSK_REALM)
        throw new MotteError('MOT-0002', `${name} has a pre-shared key, not a certificate: remove it and add it anew`);
      return certifyDevice(
        { place: context, name, directory, csrFile, keyType, profile: undefined, bundle: undefined },
        async () => {
          await registry.change({ name }, 'active', 0);
        },
      );
    });
    const revoked =
      options['revokeOld'] === true
        ? await revokeDevice({
            place: context,
            name,
            certificates: { except: certified.serial, reason: 'superseded' },
            settle: (registry, _device, { number }) => registry.change({ name }, 'active', number),
          })
        : undefined;
    if (context.json) {
      context.document({ format: 1, device: { name, ...certified }, revoked: revoked ?? null });
      return 0;
    }
    context.say(`device ${name} has a new certificate until ${certified.notAfter}`);
    for (const path of certified.written) context.say(`  ${path}`);
    if (certified.keyMadeOnHost) context.say('the key was made on this host: take it to the device and delete it here');
    if (revoked === undefined)
      context.say('its earlier certificates stay good until their end; --revoke-old ends that');
    else context.say(`its earlier ones: ${revokedText(revoked)}`);
    return 0;
  },
};
