// The authority's own revocation lists (RFC 5280, 5): one of every issuing CA in use, signed by it, made anew whenever they are
// asked for, and given out in pieces. Serial numbers are random, so each names all that was revoked. For everyone else's use: the broker reads the feed instead, which cannot be stale.

import { webcrypto } from 'node:crypto';
import type { Ca } from '../issue/ca.ts';
import type { Authorities } from '../issue/generations.ts';
import { keyIdentifier } from '../issue/sign.ts';
import { type Issuer, signAnew } from '../issue/signature.ts';
import { CRL_LIFE_MS } from '../limits.ts';
import { AuthorityFault } from '../protocol/faults.ts';
import type { Methods } from '../protocol/methods.ts';
import { loadX509 } from '../x509.ts';
import type { RevocationReason, Revocations } from './revocations.ts';

export class CrlDesk {
  readonly #authorities: () => Authorities;
  readonly #revocations: Revocations;
  #made: { readonly number: number; readonly pem: string } | undefined = undefined;

  constructor(authorities: () => Authorities, revocations: Revocations) {
    this.#authorities = authorities;
    this.#revocations = revocations;
  }

  /** A piece of the list from `at` on; `at` 0 makes it. MOT-0426 where another list was made meanwhile. */
  async read(number: number, at: number, nowMs: number): Promise<Methods['ca.crl']['result']> {
    if (at === 0) this.#made = await this.#make(nowMs);
    const made = this.#made;
    if (made === undefined || (at > 0 && made.number !== number)) {
      throw new AuthorityFault('MOT-0426', 'another list was made meanwhile; ask for it from its beginning');
    }
    const pem = made.pem.slice(at, at + PIECE_CHARACTERS);
    return { number: made.number, pem, more: at + pem.length < made.pem.length };
  }

  async #make(nowMs: number): Promise<{ number: number; pem: string }> {
    // Milliseconds rise over a restore too, where a count would go back.
    const number = Math.max(nowMs, (this.#made?.number ?? 0) + 1);
    const { current, old } = this.#authorities();
    let pem = '';
    for (const ca of old === undefined ? [current] : [current, old]) pem += await this.#sign(ca, number, nowMs);
    return { number, pem };
  }

  async #sign({ issuer }: Ca, number: number, nowMs: number): Promise<string> {
    const x509 = await loadX509();
    // Under a throw-away key first, as certificates are: where the CA's own is, only the issuer knows.
    const scratch = await webcrypto.subtle.generateKey(SCRATCH, false, ['sign', 'verify']);
    const draft = await x509.X509CrlGenerator.create({
      issuer: [{ CN: [issuer.commonName] }],
      thisUpdate: wholeSeconds(nowMs),
      nextUpdate: wholeSeconds(nowMs + CRL_LIFE_MS),
      entries: this.#revocations.unexpired(nowMs).map(({ serial, revokedAt, reason }) => ({
        serialNumber: serial.length % 2 === 0 ? serial : `0${serial}`,
        revocationDate: wholeSeconds(Date.parse(revokedAt)),
        // A reason that says nothing should not be there (5.3.1).
        ...(reason === 'unspecified' ? {} : { reason: REASON_CODES[reason] }),
      })),
      extensions: [
        new x509.AuthorityKeyIdentifierExtension(keyIdentifier(issuer.publicKey)),
        new x509.Extension(CRL_NUMBER, false, derInteger(number)),
      ],
      signingAlgorithm: SCRATCH,
      signingKey: scratch.privateKey,
    });
    const der = await signAnew(new Uint8Array(draft.rawData), issuer);
    if (!(await new x509.X509Crl(der).verify({ publicKey: await verifier(issuer) }))) {
      throw new AuthorityFault('MOT-0477', `the list of ${issuer.commonName} does not verify under its public key`);
    }
    const base64 = der.toString('base64').replace(/.{64}(?=.)/g, '$&\n');
    return `-----BEGIN X509 CRL-----\n${base64}\n-----END X509 CRL-----\n`;
  }
}

const SCRATCH = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const CRL_NUMBER = '2.5.29.20';
const PIECE_CHARACTERS = 48 * 1024;
const REASON_CODES: Readonly<Record<RevocationReason, number>> = {
  unspecified: 0,
  keyCompromise: 1,
  superseded: 4,
  cessationOfOperation: 5,
};

function verifier({ publicKey }: Issuer): Promise<webcrypto.CryptoKey> {
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  return webcrypto.subtle.importKey('spki', spki, SCRATCH, true, ['verify']);
}

function derInteger(value: number): Uint8Array<ArrayBuffer> {
  const hex = value.toString(16);
  const bytes = Buffer.from(hex.length % 2 === 0 ? hex : `0${hex}`, 'hex');
  const content = (bytes[0] ?? 0) < 0x80 ? bytes : Buffer.concat([Buffer.of(0), bytes]);
  return Uint8Array.from([0x02, content.length, ...content]);
}

function wholeSeconds(ms: number): Date {
  return new Date(Math.floor(ms / 1000) * 1000);
}
