// One-use tokens: made for a name and roles, redeemed for one key. Each dies at its end or after a few wrong tries. What
// a wrong token was wrong about is for the operator; whoever showed it learns only that it was refused.

import { randomBytes } from 'node:crypto';
import { certifiedSince, certifyDevice, issuedOf, keyFingerprint } from '../issue/certify.ts';
import { parseCertificationRequest, refuseKey } from '../issue/request.ts';
import { ENROLMENT_KEPT_MS, TOKEN_SECONDS, TOKENS_MAX, WRONG_TRIES_MAX } from '../limits.ts';
import type { EnrolledDevice, NewToken } from '../protocol/enrolment.ts';
import { AuthorityFault } from '../protocol/faults.ts';
import { parseDeviceName } from '../protocol/names.ts';
import type { TokenEntry } from './book.ts';
import type { EnrolmentParts } from './parts.ts';
import { hashSecret, readShownToken, secretFits } from './token.ts';

/** Makes a token in place of an earlier one for the name; MOT-0433, MOT-0426, MOT-0446. */
export async function addToken(
  { ca, book }: EnrolmentParts,
  params: { readonly name: string; readonly roles: readonly string[]; readonly seconds: number },
  nowMs: number,
): Promise<NewToken> {
  const name = parseDeviceName(params.name);
  const { seconds, roles } = params;
  if (!Number.isInteger(seconds) || seconds < TOKEN_SECONDS.min || seconds > TOKEN_SECONDS.max) {
    throw new AuthorityFault('MOT-0426', `a token lives ${TOKEN_SECONDS.min} to ${TOKEN_SECONDS.max} seconds`);
  }
  const others = book.now.tokens.filter((one) => one.name !== name && nowMs < one.endsAtMs + ENROLMENT_KEPT_MS);
  if (others.length >= TOKENS_MAX) throw new AuthorityFault('MOT-0446', `${TOKENS_MAX} tokens are there already`);
  const secret = randomBytes(SECRET_BYTES).toString('base64url');
  const entry: TokenEntry = {
    name,
    roles,
    hash: hashSecret(name, secret),
    madeAtMs: nowMs,
    endsAtMs: nowMs + seconds * 1000,
    wrongTries: 0,
    key: '',
    redeemedAtMs: 0,
  };
  await book.change({ tokens: [...others, entry] });
  return {
    name,
    roles,
    secret,
    endsAt: new Date(entry.endsAtMs).toISOString(),
    fingerprint: ca.authorities.serving.fingerprint,
  };
}

/** A certificate for a token; the same one for the same key as long as the token lives. MOT-0444, MOT-0430. */
export async function redeemToken(
  parts: EnrolmentParts,
  params: { readonly token: string; readonly csr: string },
  nowMs: number,
): Promise<EnrolledDevice> {
  const { ca, ledger, book } = parts;
  const entry = await checkToken(parts, params.token, nowMs);
  // A request that cannot be used leaves the token as it is.
  const { publicKey } = await parseCertificationRequest(params.csr);
  const key = keyFingerprint(publicKey);
  refuseKey('device', publicKey);
  if (entry.key === '') {
    // Bound first: after a crash the same key gets what is missing, and no other key gets anything.
    await replaceToken(parts, { ...entry, key, redeemedAtMs: nowMs });
  } else if (entry.key !== key) {
    throw refused(`the token of ${entry.name} was used already, with another key`);
  }
  const before = certifiedSince(ledger, entry.name, key, entry.madeAtMs);
  if (before !== undefined && parts.isRevoked(before.serial)) throw refused(`${entry.name} was revoked`);
  const device =
    before === undefined
      ? await certifyDevice(parts, { name: entry.name, profile: 'device', publicKey, via: 'token' }, nowMs)
      : issuedOf(ca, before);
  return { ...device, roles: book.now.tokens.find(({ name }) => name === entry.name)?.roles ?? entry.roles };
}

/** False where there was none. */
export async function voidToken({ book }: EnrolmentParts, name: string): Promise<boolean> {
  const left = book.now.tokens.filter((one) => one.name !== name);
  if (left.length === book.now.tokens.length) return false;
  await book.change({ tokens: left });
  return true;
}

async function checkToken(parts: EnrolmentParts, text: string, nowMs: number): Promise<TokenEntry> {
  const shown = readShownToken(text);
  if (shown === undefined) throw refused('what was shown is not a token, or not the whole of one');
  const { name, secret, fingerprint } = shown;
  if (fingerprint !== undefined && fingerprint !== parts.ca.authorities.serving.fingerprint) {
    throw refused(`a token for ${name} at another broker, whose CA is ${fingerprint}`);
  }
  const entry = parts.book.now.tokens.find((one) => one.name === name);
  if (entry === undefined) throw refused(`there is no token for ${name}`);
  if (nowMs >= entry.endsAtMs) {
    throw refused(`the token of ${name} ended on ${new Date(entry.endsAtMs).toISOString()}`);
  }
  if (entry.wrongTries >= WRONG_TRIES_MAX) {
    throw refused(`the token of ${name} died after ${WRONG_TRIES_MAX} wrong tries`);
  }
  if (!secretFits(name, secret, entry.hash)) {
    const wrongTries = entry.wrongTries + 1;
    await replaceToken(parts, { ...entry, wrongTries });
    throw refused(`a wrong token for ${name}, try ${wrongTries} of ${WRONG_TRIES_MAX}`);
  }
  return entry;
}

function replaceToken({ book }: EnrolmentParts, entry: TokenEntry): Promise<void> {
  return book.change({ tokens: book.now.tokens.map((one) => (one.name === entry.name ? entry : one)) });
}

function refused(why: string): AuthorityFault {
  return new AuthorityFault('MOT-0444', why);
}

const SECRET_BYTES = 16;
