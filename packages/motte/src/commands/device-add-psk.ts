// `motte device add NAME --psk`: a key of 32 bytes, made here, shown once and written once; the registry keeps it, since TLS
// needs the key itself. For boards that cannot do certificates.

import { randomBytes } from 'node:crypto';
import { join, resolve } from 'node:path';
import { MotteError } from '@motte/admin/errors';
import { type Options, textOption } from '../command.ts';
import type { Context } from '../context.ts';
import { reserveFiles } from '../data/new-files.ts';
import { withRegistry } from '../data/registered.ts';

/** Registers the device and writes DIR/NAME.psk, 0600: the key in hexadecimal, as every client takes it. */
export async function addPskDevice(
  context: Context,
  name: string,
  roles: readonly string[],
  options: Options,
): Promise<0> {
  for (const other of CERTIFICATE_OPTIONS) {
    if (options[other] !== undefined)
      throw new MotteError('MOT-0002', `--psk makes no certificate: leave out --${other}`);
  }
  const directory = resolve(textOption(options, 'out') ?? name);
  const file = `${name}.psk`;
  const key = randomBytes(KEY_BYTES);
  await withRegistry(context, async (registry) => {
    if ((await registry.find(name)) !== undefined) throw new MotteError('MOT-0602', name);
    const files = reserveFiles(directory, [{ name: file, mode: 0o600 }]);
    try {
      files.write(new Map([[file, `${key.toString('hex')}\n`]]));
      await registry.add(name, roles, { psk: key.toString('base64') });
    } catch (fault) {
      files.discard();
      throw fault;
    }
  });
  const written = [join(directory, file)];
  const psk = key.toString('hex');
  if (context.json) context.document({ format: 1, device: { name, roles, written, identity: name, psk } });
  else {
    context.say(`device ${name} is enrolled, roles: ${roles.join(', ')}, by a pre-shared key`);
    context.say(`  ${written[0]}`);
    context.say(`its TLS-PSK identity is ${name}, its key, shown this once, is`);
    context.say(`  ${psk}`);
    context.say(
      `its client ids are ${name} and ${name}/anything; it connects to a listener with \`authentication: psk\``,
    );
    context.say('the key was made on this host: take it to the device and delete the file here');
  }
  return 0;
}

const KEY_BYTES = 32;
const CERTIFICATE_OPTIONS = ['csr', 'bundle'] as const;
