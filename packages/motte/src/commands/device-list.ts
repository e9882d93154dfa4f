// `motte device list`.

import type { Device } from '@motte/admin';
import { OWN_REALM, PSK_REALM } from '@motte/broker/ports/identity';
import type { DeviceSummary } from '@motte/pki/protocol';
import type { CommandFile } from '../command.ts';
import type { Context } from '../context.ts';
import { askAuthority } from '../data/ask-authority.ts';
import { withRegistry } from '../data/registered.ts';
import { renderTable } from '../table.ts';

export const command: CommandFile = {
  configure: () => {},
  async run(context) {
    const registered = await withRegistry(context, (registry) => registry.list());
    const ends = await endsOf(context);
    const devices = registered.map((device) => ({ ...device, certificate: endOf(device, ends, Date.now()) }));
    if (context.json) context.document({ format: 1, devices });
    else {
      context.say(
        renderTable(
          ['DEVICE', 'PROOF', 'ROLES', 'STATE', 'CONNECTIONS', 'ADDED', 'DAYS LEFT'],
          devices.map(({ name, realm, roles, state, connections, added, certificate }) => [
            name,
            PROOFS.get(realm) ?? realm,
            roles.join(','),
            state,
            connections,
            added,
            certificate === null ? '-' : certificate.revoked ? 'revoked' : certificate.daysLeft,
          ]),
        ),
      );
    }
    return 0;
  },
};

type Ends = ReadonlyMap<string, Pick<DeviceSummary, 'notAfter' | 'revokedAt'>>;

/** Of the latest certificates that the authority issued, by name; whom it does not answer still gets the list. */
async function endsOf(context: Context): Promise<Ends> {
  try {
    return await askAuthority(context, async (ca) => new Map((await ca.listDevices()).map((one) => [one.name, one])));
  } catch (fault) {
    const { AuthorityFault } = await import('@motte/pki/protocol');
    if (!(fault instanceof AuthorityFault)) throw fault;
    context.warn(`motte: note: when certificates end is not known: ${fault.message} (${fault.code})`);
    return new Map();
  }
}

/** Null for who has no certificate of ours. */
function endOf({ realm, name }: Device, ends: Ends, nowMs: number) {
  const latest = realm === OWN_REALM ? ends.get(name) : undefined;
  if (latest === undefined) return null;
  const { notAfter, revokedAt } = latest;
  const daysLeft = Math.floor((Date.parse(notAfter) - nowMs) / DAY_MS);
  return { notAfter, daysLeft, revoked: revokedAt !== undefined };
}

const DAY_MS = 86_400_000;

/** By realm; a foreign authority is shown by its own. */
const PROOFS: ReadonlyMap<string, string> = new Map([
  [OWN_REALM, 'certificate'],
  [PSK_REALM, 'key'],
]);
