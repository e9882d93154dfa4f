// `motte device add NAME --token`: a one-use token instead of a key and a certificate. The authority makes and keeps it,
// hashed; what is printed here is all there ever is of it.

import { MotteError } from '@motte/admin/errors';
import type { Context } from '../context.ts';
import { askAuthority } from '../data/ask-authority.ts';
import { parseDuration } from '../data/duration.ts';
import { enrolUrlOf, whyNotOpen } from '../data/enrol-address.ts';
import { withRegistry } from '../data/registered.ts';

export interface TokenOrder {
  readonly name: string;
  readonly roles: readonly string[];
  /** As typed; undefined = 24 h. */
  readonly ttl: string | undefined;
  readonly url: string | undefined;
}

/** Makes the token and prints it with the command for the device. */
export async function addDeviceToken(context: Context, { name, roles, ttl, url: given }: TokenOrder): Promise<void> {
  const { encodeToken, TOKEN_SECONDS } = await import('@motte/pki');
  const seconds = parseDuration(ttl ?? TTL_DEFAULT, '--token', TOKEN_SECONDS);
  const url = await enrolUrlOf(context, given);
  const made = await withRegistry(context, async (registry) => {
    if ((await registry.find(name)) !== undefined) throw new MotteError('MOT-0602', name);
    return askAuthority(context, (ca) => ca.addToken({ name, roles, seconds }));
  });
  const token = encodeToken({ url, fingerprint: made.fingerprint, name, roles, secret: made.secret });
  const command = `motte enrol ${url} ${token}`;
  const closed = await whyNotOpen(context);
  const { endsAt, secret, fingerprint } = made;
  if (context.json) {
    const est = { user: name, password: secret };
    context.document({ format: 1, token: { name, roles, endsAt, url, token, command, ca: fingerprint, est } });
  } else {
    context.say(`a token for device ${name}, roles: ${roles.join(', ')}, good for one device until ${endsAt}`);
    context.say('on the device:');
    context.say(`  ${command}`);
    context.say(`a device that speaks EST: user ${name}, password ${secret}`);
  }
  if (closed !== undefined) context.warn(`motte: note: nothing can be enrolled now: ${closed}`);
}

const TTL_DEFAULT = '24h';
