// `motte device add NAME --ca ID`: registers a device whose certificate another authority issues. Nothing is issued or written.

import { MotteError } from '@motte/admin/errors';
import type { Options } from '../command.ts';
import { loadConfig } from '../config/config.ts';
import type { Context } from '../context.ts';
import { checkAuthority } from '../data/authorities.ts';
import { withRegistry } from '../data/registered.ts';

export async function addForeignDevice(
  context: Context,
  device: { readonly name: string; readonly roles: readonly string[]; readonly ca: string },
  options: Options,
): Promise<0> {
  const { name, roles, ca } = device;
  for (const other of FILE_OPTIONS) {
    if (options[other] !== undefined) throw new MotteError('MOT-0002', `--ca issues nothing: leave out --${other}`);
  }
  await withRegistry(context, async (registry, where) => {
    // A running broker goes by the configuration that it has.
    if (where === 'offline') checkAuthority(loadConfig(context.config), ca);
    if ((await registry.find(name, ca)) !== undefined) throw new MotteError('MOT-0602', `${name} of ${ca}`);
    await registry.add(name, roles, { ca });
  });
  if (context.json) context.document({ format: 1, device: { name, realm: `ca:${ca}`, roles } });
  else {
    context.say(`device ${name} of the authority ${ca} is registered, roles: ${roles.join(', ')}`);
    context.say(`its client ids are ${name} and ${name}/anything`);
  }
  return 0;
}

const FILE_OPTIONS = ['csr', 'bundle', 'out', 'psk', 'token'] as const;
