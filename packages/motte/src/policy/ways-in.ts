// By which listeners an identity comes in, and who one is there: without authentication everybody is the same stranger.

import { MotteError } from '@motte/admin/errors';
import { parseWho, type Who } from '@motte/broker/policy';
import type { AuthenticationMode, ListenerFacts } from '@motte/broker/ports/connection-facts';
import { ANONYMOUS_REALM, identityLabel, OWN_REALM, TOKEN_REALM } from '@motte/broker/ports/identity';

/** Who everybody is on a listener that asks for no proof. */
export function strangerOn({ name }: Pick<ListenerFacts, 'name'>): Who {
  return { realm: `${ANONYMOUS_REALM}${name}`, name: STRANGER };
}

export function isStranger({ realm }: Who): boolean {
  return realm.startsWith(ANONYMOUS_REALM);
}

/** `anonymous@LISTENER`; undefined for anything else, an identity of that name in a realm among them. Throws MOT-0907. */
export function parseStranger(
  text: string,
  doors: readonly ListenerFacts[] | undefined,
): { who: Who; clientId: string } | undefined {
  if (!text.startsWith(`${STRANGER}@`) || typeof parseWho(text) !== 'string' || doors === undefined) return undefined;
  const name = text.slice(STRANGER.length + 1);
  const door = doors.find((one) => one.name === name);
  if (door === undefined) throw new MotteError('MOT-0907', `there is no listener ${name}`);
  if (door.authentication !== 'none') throw new MotteError('MOT-0907', `nobody is anonymous on listener ${name}`);
  return { who: strangerOn(door), clientId: STRANGER };
}

/** The one that is named, or the first that takes such an identity. Throws MOT-0907. */
export function listenerFor(
  who: Who,
  via: string,
  doors: readonly ListenerFacts[] | undefined,
): ListenerFacts | undefined {
  if (via === '') return doors?.find((door) => takes(door, who));
  const named = doors?.find(({ name }) => name === via);
  if (doors !== undefined && named === undefined) throw new MotteError('MOT-0907', `there is no listener ${via}`);
  return named;
}

/** All that take such an identity. */
export function waysIn(who: Who, doors: readonly ListenerFacts[]): readonly ListenerFacts[] {
  return doors.filter((door) => takes(door, who));
}

/** Why somebody cannot come by this listener at all; undefined if they can. */
export function whyShut(
  door: ListenerFacts,
  who: Who,
): { readonly because: string; readonly rule: string } | undefined {
  if (takes(door, who)) return undefined;
  const { authentication, clientCa = [OWN_REALM] } = door;
  const isOtherCa = who.realm.startsWith('ca:') && (authentication === 'certificate' || authentication === 'any');
  const asks = isOtherCa ? `certificates of ${clientCa.join(', ')}` : ASKS[authentication];
  const because = `listener ${door.name} does not take ${identityLabel(who)}: it takes ${asks}`;
  return { because, rule: isOtherCa ? 'listeners.clientCa' : 'listeners.authentication' };
}

function takes({ name, authentication, clientCa }: ListenerFacts, { realm }: Who): boolean {
  if (realm.startsWith(ANONYMOUS_REALM)) return authentication === 'none' && realm === `${ANONYMOUS_REALM}${name}`;
  if (realm.startsWith(TOKEN_REALM)) return authentication === 'token' || authentication === 'any';
  if (!realm.startsWith('ca:')) return authentication === realm || (authentication === 'any' && realm !== 'psk');
  return (authentication === 'certificate' || authentication === 'any') && (clientCa ?? [OWN_REALM]).includes(realm);
}

const STRANGER = 'anonymous';
const ASKS: { readonly [mode in AuthenticationMode]: string } = {
  certificate: 'certificates',
  password: 'passwords',
  token: 'tokens',
  scram: 'SCRAM',
  psk: 'pre-shared keys',
  any: 'everything but pre-shared keys',
  none: 'everybody as anonymous',
};
