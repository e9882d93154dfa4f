// Pre-shared keys: the one of each device for the handshake, and what a finished handshake proves at CONNECT. Which key a
// connection used was noted when TLS asked for it; nothing is taken from what TLS says about the peer afterwards.

import { createHash, createHmac, randomBytes } from 'node:crypto';
import { isDeviceName } from '@motte/pki/protocol';
import type { IdentityDirectory } from '../ports/directory.ts';
import { PSK_REALM } from '../ports/identity.ts';
import type { PreSharedKeys } from '../ports/psk.ts';
import { refuse } from '../ports/verdict.ts';
import type { Proof } from './authenticate.ts';

/** Looks keys up in the registry. A name that is nobody's has a key too, the same at every try. */
export function createPreSharedKeys(directory: Pick<IdentityDirectory, 'find'>): PreSharedKeys {
  const secret = randomBytes(KEY_BYTES);
  return (identity) => {
    if (!isDeviceName(identity)) return undefined;
    const key = registeredKey(directory, identity);
    if (key !== undefined) return { key, keyId: idOf(key) };
    return { key: createHmac('sha256', secret).update(identity).digest(), keyId: undefined };
  };
}

/** Proves what came over a listener for pre-shared keys; silent on every other. */
export function createPskProof(directory: Pick<IdentityDirectory, 'find'>): Proof {
  return ({ facts: { listener, tls } }) => {
    if (listener.authentication !== 'psk') return undefined;
    const psk = tls?.psk;
    if (psk === undefined)
      return refuse('not-authorized', 'no pre-shared key was used; this listener demands one', RULE);
    const known = directory.find(PSK_REALM, psk.identity);
    const key = registeredKey(directory, psk.identity);
    if (known === undefined || key === undefined || psk.keyId !== idOf(key)) {
      const because = `${psk.identity} has no such pre-shared key any more`;
      return refuse('not-authorized', because, 'identity.directory');
    }
    if (known.state !== 'active') {
      return refuse('not-authorized', `${known.name} is disabled in the registry`, 'identity.directory');
    }
    const { role } = listener;
    const roles = role === undefined || known.roles.includes(role) ? known.roles : [...known.roles, role];
    return {
      allow: true,
      identity: { realm: PSK_REALM, name: known.name, kind: known.kind, roles },
      data: undefined,
      expiresAtMs: 0,
    };
  };
}

function registeredKey(directory: Pick<IdentityDirectory, 'find'>, name: string): Uint8Array | undefined {
  const { verifier } = directory.find(PSK_REALM, name) ?? {};
  if (verifier?.kind !== 'psk') return undefined;
  const key = Buffer.from(verifier.key, 'base64');
  return key.length === KEY_BYTES ? key : undefined;
}

function idOf(key: Uint8Array): string {
  return createHash('sha256').update(key).digest('base64');
}

const RULE = 'listeners.authentication';
const KEY_BYTES = 32;
