// `motte device add NAME`: key and request here, certificate from the authority, entry in the registry. Works at once,
// needs no restart, never overwrites a file.

import { resolve } from 'node:path';
import { MotteError } from '@motte/admin/errors';
import type { NamedProfile } from '@motte/pki/protocol';
import { Option } from 'commander';
import { downFilter, upTopic } from '../bundles/bundle.ts';
import { type BundleOrder, bundleKinds, orderBundle } from '../bundles/order.ts';
import { collect } from '../collect.ts';
import { type CommandFile, type Options, textOption } from '../command.ts';
import type { Context } from '../context.ts';
import { type Certified, certifyDevice, KEY_TYPES, oneOf } from '../data/certified.ts';
import { withRegistry } from '../data/registered.ts';
import { parseRoles } from '../data/roles.ts';
import { storedPolicy } from '../policy/stored-policy.ts';
import { addAdministrator } from './device-add-administrator.ts';
import { addForeignDevice } from './device-add-foreign.ts';
import { addPskDevice } from './device-add-psk.ts';

export const command: CommandFile = {
  configure: (command) => {
    command
      .argument('<name>', 'letters, digits, dot, underscore, dash; at most 63')
      .option('--role <role>', 'a role, may be given several times (default: device)', collect, [] as string[])
      .option('--out <dir>', 'where the files go (default ./NAME)')
      .option('--csr <file>', "certify this request of the device's own key; no key is made here")
      .addOption(
        new Option('--key-type <type>', 'kind of key: P-256, P-384, RSA of 2048 or 3072 bits')
          .choices([...KEY_TYPES])
          .default('ec'),
      )
      .addOption(
        new Option(
          '--profile <profile>',
          'what its certificate says it is (default: steward or gateway with that role)',
        ).choices([...PROFILES]),
      )
      .option('--bundle <kind>', `also write what makes a client of this kind connect: ${bundleKinds()}`)
      .option('--psk', 'a pre-shared key of 32 bytes instead of a certificate, for boards that cannot do those')
      .option('--ca <id>', 'register it with this authority of tls.clientCa, which certifies it; nothing is issued')
      .option('--token [ttl]', 'a one-use enrolment token instead of key and certificate (default 24h)')
      .option('--url <url>', 'with --token or --bundle: the address at which the device reaches this broker');
  },
  async run(context, [name = ''], options) {
    const { parseDeviceName } = await import('@motte/pki/protocol');
    parseDeviceName(name);
    const ca = textOption(options, 'ca');
    if (ca !== undefined) return addForeignDevice(context, { name, roles: rolesOf(context, options), ca }, options);
    if (options['profile'] === 'administrator') return addAdministrator(context, name, options);
    const roles = rolesOf(context, options);
    if (options['token'] !== undefined) {
      const other = ['out', 'csr', 'bundle', 'psk'].find((one) => options[one] !== undefined);
      if (other !== undefined)
        throw new MotteError('MOT-0002', `--${other} is not for a token: nothing is written here`);
      const { addDeviceToken } = await import('./device-token.ts');
      await addDeviceToken(context, {
        name,
        roles,
        ttl: textOption(options, 'token'),
        url: textOption(options, 'url'),
      });
      return 0;
    }
    if (options['psk'] === true) return addPskDevice(context, name, roles, options);
    const directory = resolve(textOption(options, 'out') ?? name);
    const keyType = oneOf(KEY_TYPES, options['keyType']);
    const profile = oneOf(PROFILES, options['profile']);
    const csrFile = textOption(options, 'csr');
    const bundle = await orderBundle(context, options, { type: keyType, madeHere: csrFile === undefined });
    const certified = await withRegistry(context, async (registry) => {
      if ((await registry.find(name)) !== undefined) throw new MotteError('MOT-0602', name);
      // A certificate that was issued under the name before belongs to an attempt that did not finish, or to a device that was removed.
      return certifyDevice({ place: context, name, directory, csrFile, keyType, profile, bundle }, () =>
        registry.add(name, roles),
      );
    });
    say(context, { name, roles, ...certified }, bundle && bundled(bundle, { name, directory, roles }));
    return 0;
  },
};

interface Added extends Certified {
  readonly name: string;
  readonly roles: readonly string[];
}

/** What is said of a bundle. */
interface Bundled {
  readonly kind: string;
  readonly needs: readonly string[];
  readonly limits: readonly string[];
  /** Lines for a shell that try it. */
  readonly snippet: readonly string[];
}

function bundled(
  order: BundleOrder,
  { name, directory, roles }: { readonly name: string; readonly directory: string; readonly roles: readonly string[] },
): Bundled {
  const { kind, bundle } = order;
  const { needs, limits } = bundle;
  const snippet = bundle.snippet({ ...order, name, directory });
  const role = `it publishes to ${upTopic(name)} and reads ${downFilter(name)}, as the role device allows; this one lacks it`;
  return { kind, needs, limits: roles.includes('device') ? limits : [...limits, role], snippet };
}

function say(context: Context, added: Added, tried: Bundled | undefined): void {
  if (context.json)
    return context.document({ format: 1, device: added, ...(tried === undefined ? {} : { bundle: tried }) });
  context.say(
    `device ${added.name} is enrolled, roles: ${added.roles.join(', ')}, certificate until ${added.notAfter}`,
  );
  for (const path of added.written) context.say(`  ${path}`);
  context.say(`its client ids are ${added.name} and ${added.name}/anything`);
  if (added.keyMadeOnHost) context.say('the key was made on this host: take it to the device and delete it here');
  else if (tried !== undefined) context.say(`the device's own key belongs beside it, as ${added.name}.key`);
  if (tried === undefined) return;
  const { needs, limits, snippet } = tried;
  for (const need of needs) context.say(`needs: ${need}`);
  for (const limit of limits) context.say(`limit: ${limit}`);
  if (snippet.length > 0) context.say('to try it:');
  for (const line of snippet) context.say(`  ${line}`);
}

function rolesOf(context: Context, options: Options): string[] {
  const given = options['role'];
  const names = Array.isArray(given) && given.length > 0 ? given.map(String) : ['device'];
  return parseRoles(names, storedPolicy(context.data));
}

const PROFILES = ['device', 'gateway', 'steward', 'administrator'] as const satisfies readonly NamedProfile[];
