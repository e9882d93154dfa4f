// Spares the hash for a password that was right a moment ago, as in a reconnect storm: an HMAC of name and password under a
// key that this process made and nobody else has. Good as long as the verifier is the same object: a new password, or a
// user who was removed and added again, has another one.

import { createHmac, randomBytes, timingSafeEqual } from 'node:crypto';
import type { Verifier } from '../../ports/directory.ts';
import { Recent } from '../recent.ts';

export class RememberedLogins {
  readonly #key = randomBytes(32);
  readonly #logins = new Recent<{ readonly verifier: Verifier; readonly code: Uint8Array }>(USERS_MAX);

  has(name: string, password: Uint8Array, verifier: Verifier): boolean {
    const login = this.#logins.get(name);
    return login?.verifier === verifier && timingSafeEqual(login.code, this.#code(name, password));
  }

  add(name: string, password: Uint8Array, verifier: Verifier): void {
    this.#logins.set(name, { verifier, code: this.#code(name, password) });
  }

  /** A name has no line end, so no two pairs make one text. */
  #code(name: string, password: Uint8Array): Uint8Array {
    return createHmac('sha256', this.#key).update(`${name}\n`).update(password).digest();
  }
}

const USERS_MAX = 50_000;
