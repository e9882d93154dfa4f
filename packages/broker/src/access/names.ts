// Names in a policy: of roles, groups and listeners, and of identities as people write them.

import { OWN_REALM, PSK_REALM, TOKEN_REALM } from '../ports/identity.ts';
import { PASSWORD_REALM, SCRAM_REALM } from '../ports/users.ts';
import { oddCharacter } from './rule-error.ts';

/** Undefined if the text may name a role, a group or a listener; else why not. */
export function nameFault(text: string): string | undefined {
  if (NAME.test(text)) return undefined;
  const odd = oddCharacter(text);
  const shown = JSON.stringify(text.length > SHOWN_MAX ? `${text.slice(0, SHOWN_MAX)}…` : text);
  const why = odd === undefined ? `${shown} is not a name` : `${shown} is not a name, it holds ${odd}`;
  return `${why}: names are 1 to 63 of letters, digits, dot, underscore and dash, a letter or digit first`;
}

export interface Who {
  readonly realm: string;
  readonly name: string;
}

/** `NAME` for a device of Motte's own CA, else `NAME@REALM`; or the sentence that says why it is neither. */
export function parseWho(text: string): Who | string {
  const sign = text.indexOf('@');
  const name = sign === -1 ? text : text.slice(0, sign);
  const fault = nameFault(name);
  if (fault !== undefined) return fault;
  const realm = sign === -1 ? OWN_REALM : text.slice(sign + 1);
  if (isRealm(realm)) return { realm, name };
  return `"${realm.slice(0, SHOWN_MAX)}" is no realm: write NAME for a device enrolled here, or NAME@password, @scram, @psk, @ca:ID or @token:ISSUER`;
}

function isRealm(realm: string): boolean {
  if (realm === PASSWORD_REALM || realm === SCRAM_REALM || realm === PSK_REALM) return true;
  if (realm.startsWith('ca:')) return NAME.test(realm.slice(3));
  return realm.startsWith(TOKEN_REALM) && ISSUER.test(realm.slice(TOKEN_REALM.length));
}

const NAME = /^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$/;
const ISSUER = /^[!-~]{1,512}$/;
const SHOWN_MAX = 80;
