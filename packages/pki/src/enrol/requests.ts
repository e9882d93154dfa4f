// Requests that somebody has to approve: from devices without a token while the join window is open, and renewals that
// nothing but the broker's word stands for. Bounded. Nothing is issued before approval, and then for that key alone.

import { type KeyObject, randomBytes } from 'node:crypto';
import { certifiedSince, certifyDevice, issuedOf, keyFingerprint } from '../issue/certify.ts';
import type { IssuedRecord } from '../issue/ledger.ts';
import { parseCertificationRequest, refuseKey } from '../issue/request.ts';
import { JOIN_SECONDS_MAX, REQUEST_LIFE_MS, REQUESTS_MAX } from '../limits.ts';
import type { EnrolAnswer, RequestKind, RequestRow } from '../protocol/enrolment.ts';
import { AuthorityFault } from '../protocol/faults.ts';
import { type NamedProfile, parseDeviceName } from '../protocol/names.ts';
import type { RequestEntry } from './book.ts';
import type { EnrolmentParts } from './parts.ts';
import { voidToken } from './tokens.ts';

/** Opens the join window in place of an earlier one; 0 seconds close it. */
export async function openJoin(
  { book }: EnrolmentParts,
  { roles, seconds }: { readonly roles: readonly string[]; readonly seconds: number },
  nowMs: number,
): Promise<{ endsAt: string }> {
  if (!Number.isInteger(seconds) || seconds < 0 || seconds > JOIN_SECONDS_MAX) {
    throw new AuthorityFault('MOT-0426', `a join window is open for at most ${JOIN_SECONDS_MAX} seconds`);
  }
  const endsAtMs = seconds === 0 ? 0 : nowMs + seconds * 1000;
  await book.change({ join: { roles, endsAtMs } });
  return { endsAt: seconds === 0 ? '' : new Date(endsAtMs).toISOString() };
}

/** A device without a token asks, or asks again. MOT-0444 outside the window, MOT-0430, MOT-0433, MOT-0446. */
export async function askToJoin(
  parts: EnrolmentParts,
  params: { readonly name: string; readonly csr: string },
  nowMs: number,
): Promise<EnrolAnswer> {
  const name = parseDeviceName(params.name);
  const { publicKey } = await parseCertificationRequest(params.csr);
  const { join } = parts.book.now;
  const isOpen = nowMs < join.endsAtMs;
  return ask(parts, { kind: 'join', name, profile: 'device', publicKey, roles: join.roles, mayBegin: isOpen }, nowMs);
}

export interface Asking {
  readonly kind: RequestKind;
  readonly name: string;
  readonly profile: NamedProfile;
  readonly publicKey: KeyObject;
  readonly roles: readonly string[];
  /** Whether a request that is not there yet may be put in. */
  readonly mayBegin: boolean;
}

/** The certificate if the request was approved, else that it waits. */
export async function ask(parts: EnrolmentParts, asking: Asking, nowMs: number): Promise<EnrolAnswer> {
  const { ca, ledger, book } = parts;
  const { kind, name, profile, publicKey, roles } = asking;
  refuseKey(profile, publicKey);
  const key = keyFingerprint(publicKey);
  const known = alive(parts, nowMs).find((one) => one.name === name && one.key === key && one.kind === kind);
  if (known === undefined) {
    if (!asking.mayBegin) throw refused(`${name} asks to join without a token, and no join window is open`);
    const entry: RequestEntry = {
      id: `q${randomBytes(ID_BYTES).toString('hex')}`,
      ...{ kind, name, roles, key, askedAtMs: nowMs, state: 'waiting', fetchedAtMs: 0 },
    };
    await book.change({ requests: [...withRoom(alive(parts, nowMs)), entry] });
    return waiting(entry);
  }
  switch (known.state) {
    case 'waiting':
      return waiting(known);
    case 'denied':
      throw refused(`the request ${known.id} of ${name} was denied`);
    case 'approved': {
      const before = certifiedSince(ledger, name, key, known.askedAtMs);
      if (before !== undefined && parts.isRevoked(before.serial)) throw refused(`${name} was revoked`);
      const via: IssuedRecord['via'] = kind === 'join' ? 'approval' : 'renewal';
      const device =
        before === undefined
          ? await certifyDevice(parts, { name, profile, publicKey, via }, nowMs)
          : issuedOf(ca, before);
      if (known.fetchedAtMs === 0) await replaceRequest(parts, { ...known, fetchedAtMs: nowMs });
      return { state: 'issued', device: { ...device, roles: known.roles } };
    }
  }
}

/** Without what has to give way for one more: of what is over, what was fetched first, then what was denied first. MOT-0446. */
function withRoom(requests: readonly RequestEntry[]): readonly RequestEntry[] {
  const over = requests.filter(({ state, fetchedAtMs }) => state === 'denied' || fetchedAtMs !== 0);
  if (requests.length - over.length >= REQUESTS_MAX) {
    throw new AuthorityFault('MOT-0446', `${REQUESTS_MAX} requests wait already`);
  }
  const rank = ({ state, fetchedAtMs }: RequestEntry) => (state === 'denied' ? Number.POSITIVE_INFINITY : fetchedAtMs);
  // Among equals in the order of their asking, in which they stand.
  const [first] = over.toSorted((a, b) => (rank(a) === rank(b) ? 0 : rank(a) - rank(b)));
  return requests.length < REQUESTS_MAX ? requests : requests.filter((one) => one !== first);
}

/** Lets the device fetch its certificate; MOT-0447. */
export async function approveRequest(parts: EnrolmentParts, request: string, nowMs: number): Promise<RequestRow> {
  const entry = { ...findRequest(parts, request, nowMs), state: 'approved' as const };
  await replaceRequest(parts, entry);
  return requestRow(entry);
}

/** Denies one by id or all of a name, and voids a token of that name that was not redeemed; MOT-0447 if there is neither. */
export async function denyRequests(parts: EnrolmentParts, request: string, nowMs: number) {
  const isMeant = ({ id, name, state }: RequestEntry) => (id === request || name === request) && state !== 'denied';
  const requests = alive(parts, nowMs);
  const denied = requests.filter(isMeant).length;
  if (denied > 0) {
    await parts.book.change({ requests: requests.map((one) => (isMeant(one) ? { ...one, state: 'denied' } : one)) });
  }
  const unused = parts.book.now.tokens.some(({ name, key }) => name === request && key === '');
  const voided = unused && (await voidToken(parts, request));
  if (denied === 0 && !voided) throw new AuthorityFault('MOT-0447', request.slice(0, 80));
  return { denied, voided };
}

/**
 * A name that an administrator certifies or takes away himself leaves no other way in: its token, and requests that were
 * approved or may still be. What was fetched already is over.
 */
export async function voidEnrolment(parts: EnrolmentParts, name: string, nowMs: number): Promise<void> {
  await voidToken(parts, name);
  const isMeant = (one: RequestEntry) => one.name === name && one.state !== 'denied' && one.fetchedAtMs === 0;
  const requests = alive(parts, nowMs);
  if (!requests.some(isMeant)) return;
  await parts.book.change({ requests: requests.map((one) => (isMeant(one) ? { ...one, state: 'denied' } : one)) });
}

/** Requests that have not been forgotten. */
export function alive({ book }: EnrolmentParts, nowMs: number): readonly RequestEntry[] {
  return book.now.requests.filter(({ askedAtMs }) => nowMs < askedAtMs + REQUEST_LIFE_MS);
}

export function requestRow({ id, kind, name, roles, key, askedAtMs, state }: RequestEntry): RequestRow {
  return { id, kind, name, roles, fingerprint: key, askedAt: new Date(askedAtMs).toISOString(), state };
}

function findRequest(parts: EnrolmentParts, request: string, nowMs: number): RequestEntry {
  const open = alive(parts, nowMs).filter(({ state }) => state === 'waiting');
  const byId = open.find(({ id }) => id === request);
  if (byId !== undefined) return byId;
  const byName = open.filter(({ name }) => name === request);
  if (byName.length > 1) {
    // Two keys ask for one name: only the fingerprint tells which is the device.
    throw new AuthorityFault(
      'MOT-0447',
      `${byName.length} ask for ${request}: ${byName.map(({ id }) => id).join(', ')}`,
    );
  }
  const [only] = byName;
  if (only === undefined) throw new AuthorityFault('MOT-0447', request.slice(0, 80));
  return only;
}

function waiting({ id, kind, name, key }: RequestEntry): EnrolAnswer {
  return { state: 'waiting', id, kind, name, fingerprint: key };
}

function replaceRequest(parts: EnrolmentParts, entry: RequestEntry): Promise<void> {
  return parts.book.change({ requests: parts.book.now.requests.map((one) => (one.id === entry.id ? entry : one)) });
}

function refused(why: string): AuthorityFault {
  return new AuthorityFault('MOT-0444', why);
}

const ID_BYTES = 4;
