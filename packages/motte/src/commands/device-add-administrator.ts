// `motte device add NAME --profile administrator`: a certificate for a person who administers, and no entry in the registry:
// nothing of that name connects over MQTT.

import { resolve } from 'node:path';
import { MotteError } from '@motte/admin/errors';
import { type Options, textOption } from '../command.ts';
import type { Context } from '../context.ts';
import { certifyDevice, KEY_TYPES, oneOf } from '../data/certified.ts';
import { withRegistry } from '../data/registered.ts';

export async function addAdministrator(context: Context, name: string, options: Options): Promise<0> {
  for (const other of DEVICE_OPTIONS) {
    const given = options[other];
    if (given === undefined || (Array.isArray(given) && given.length === 0)) continue;
    throw new MotteError('MOT-0002', `an administrator is no device: leave out --${other}`);
  }
  const directory = resolve(textOption(options, 'out') ?? name);
  const keyType = oneOf(KEY_TYPES, options['keyType']);
  const csrFile = textOption(options, 'csr');
  const certified = await withRegistry(context, async (registry) => {
    if ((await registry.find(name)) !== undefined) throw new MotteError('MOT-0602', name);
    const what = { name, directory, csrFile, keyType, profile: 'administrator', bundle: undefined } as const;
    return certifyDevice({ place: context, ...what }, async () => undefined);
  });
  if (context.json) context.document({ format: 1, administrator: { name, ...certified } });
  else {
    context.say(`administrator ${name} has a certificate until ${certified.notAfter}; it opens no listener of devices`);
    for (const path of certified.written) context.say(`  ${path}`);
    if (certified.keyMadeOnHost) context.say('the key was made on this host: hand it over and delete it here');
  }
  return 0;
}

const DEVICE_OPTIONS = ['role', 'bundle', 'psk', 'token', 'url'] as const;
