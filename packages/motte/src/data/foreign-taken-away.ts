// A device of an authority of tls.clientCa is taken away: what Motte did not issue it cannot revoke, so the identity is barred in
// the registry. Forgotten, it is let in again where the authority has `roles`.

import { performance } from 'node:perf_hooks';
import { MotteError } from '@motte/admin/errors';
import type { Context } from '../context.ts';
import { withRegistry } from './registered.ts';
import { endedText } from './taken-away.ts';

/** Throws MOT-0413 for an authority that is not in the configuration, MOT-0603 for what cannot be forgotten since it is not known. */
export async function takeForeignAway(
  context: Context,
  device: { readonly name: string; readonly ca: string },
  how: 'barred' | 'removed',
): Promise<0> {
  const { name, ca } = device;
  const { OWN_REALM, caRealm, parseDeviceName } = await import('@motte/pki/protocol');
  parseDeviceName(name);
  if (caRealm(ca) === OWN_REALM) throw new MotteError('MOT-0413', `${ca} is this broker's own: leave out --ca`);
  const startedMs = performance.now();
  const { known, ended } = await withRegistry(context, async (registry) => {
    const known = await registry.find(name, ca);
    if (how === 'removed' && known === undefined) throw new MotteError('MOT-0603', `${name} of ${ca}`);
    const ended = how === 'removed' ? registry.remove(device, 0) : registry.change(device, 'disabled', 0);
    return { known, ended: await ended };
  });
  const ms = Math.round(performance.now() - startedMs);
  if (context.json) {
    context.document({ format: 1, name, ca, registered: known !== undefined, ended: ended ?? null, ms });
    return 0;
  }
  const lost = ended === undefined ? NOT_RUNNING[how] : endedText(ended, ms);
  context.say(`device ${name} of ${ca} is ${how}: ${lost}`);
  if (known === undefined) context.say('it was not registered; it is kept out all the same');
  if (how === 'removed')
    context.say(`where ${ca} has \`roles\` it may come again; \`motte device revoke\` keeps it out`);
  return 0;
}

/** A start asks whether a device may come, and one that is forgotten may where its authority lets it in by itself. */
const NOT_RUNNING = {
  barred: 'no broker runs here: when it starts, what the device had ends before anybody is let in',
  removed:
    'no broker runs here: when it starts, what the device had ends unless its authority has `roles`, which lets it go on with that',
} as const;
