// `motte device show NAME`: the registry's entry and the authority's certificates.

import { MotteError } from '@motte/admin/errors';
import { OWN_REALM, PSK_REALM } from '@motte/broker/ports/identity';
import { type CommandFile, textOption } from '../command.ts';
import type { Context } from '../context.ts';
import { askAuthority } from '../data/ask-authority.ts';
import { noSuchDevice } from '../data/no-such-device.ts';
import { withRegistry } from '../data/registered.ts';
import { renderFields } from '../table.ts';

export const command: CommandFile = {
  configure: (command) =>
    void command
      .argument('<name>', 'the device')
      .option('--ca <id>', 'one that this authority of tls.clientCa certifies'),
  async run(context, [name = ''], options) {
    const ca = textOption(options, 'ca');
    const device = await withRegistry(context, async (registry) => {
      const found = await registry.find(name, ca);
      if (found !== undefined) return found;
      throw ca === undefined ? await noSuchDevice(registry, name) : new MotteError('MOT-0603', `${name} of ${ca}`);
    });
    const certificate = device.realm === OWN_REALM ? await certificateOf(context, name) : undefined;
    if (context.json) context.document({ format: 1, device, certificate: certificate ?? null });
    else {
      context.say(
        renderFields([
          ['device', device.name],
          ['roles', device.roles.join(', ')],
          ['state', device.state],
          ['added', device.added],
          ['connections', device.connections],
          ['client ids', `${device.name}, ${device.name}/anything`],
          ['proven by', PROOFS.get(device.realm) ?? `a certificate of ${device.realm.slice('ca:'.length)}`],
          ['certificate', certificate === undefined ? 'none issued here' : `serial ${certificate.serial}`],
          ...(certificate === undefined
            ? []
            : ([
                ['valid', `${certificate.notBefore} to ${certificate.notAfter}`],
                ...(certificate.revokedAt === undefined ? [] : ([['revoked', certificate.revokedAt]] as const)),
                ['fingerprint', certificate.fingerprint],
                ['issued so far', certificate.certificates],
                ...certificate.history.slice(1).map(({ serial, notAfter, revokedAt }) => {
                  const state = revokedAt === undefined ? `valid to ${notAfter}` : `revoked ${revokedAt}`;
                  return ['earlier', `serial ${serial}, ${state}`] as const;
                }),
              ] as const)),
        ]),
      );
    }
    return 0;
  },
};

const PROOFS: ReadonlyMap<string, string> = new Map([
  [OWN_REALM, 'a certificate'],
  [PSK_REALM, 'a pre-shared key'],
]);

async function certificateOf(context: Context, name: string) {
  const { AuthorityFault } = await import('@motte/pki');
  return askAuthority(context, (ca) => ca.showDevice(name)).catch((fault) => {
    if (fault instanceof AuthorityFault && fault.code === 'MOT-0432') return undefined;
    throw fault;
  });
}
