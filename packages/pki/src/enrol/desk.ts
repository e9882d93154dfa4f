// The methods of enrolment, as the authority's dispatcher takes them; and for what the enrolment listener has to be open.

import {
  ENROLMENT_KEPT_MS,
  FETCH_AGAIN_MS,
  LIST_TOKENS_MAX,
  RENEW_OPEN,
  WATCH_MS,
  WRONG_TRIES_MAX,
} from '../limits.ts';
import type {
  EnrolmentAuthorityMethods,
  EnrolmentBrokerMethods,
  EnrolmentList,
  EnrolmentState,
  TokenRow,
} from '../protocol/enrolment.ts';
import type { TokenEntry } from './book.ts';
import type { EnrolmentParts } from './parts.ts';
import { renewDevice } from './renew.ts';
import { alive, approveRequest, askToJoin, denyRequests, openJoin, requestRow } from './requests.ts';
import { addToken, redeemToken } from './tokens.ts';

type EnrolmentMethods = EnrolmentAuthorityMethods & EnrolmentBrokerMethods;
type Handlers = {
  [M in keyof EnrolmentMethods]: (params: EnrolmentMethods[M]['params']) => Promise<EnrolmentMethods[M]['result']>;
};

/** `inTurn` runs one step at a time: of two who redeem one token the second finds it redeemed. */
export function enrolmentHandlers(
  parts: EnrolmentParts,
  now: () => number,
  inTurn: <T>(work: () => Promise<T>) => Promise<T>,
): Handlers {
  const watch = watcher(parts, now);
  return {
    'token.add': ({ name, roles, seconds }) =>
      inTurn(() => addToken(parts, { name, roles: words(roles), seconds }, now())),
    'join.open': ({ roles, seconds }) => inTurn(() => openJoin(parts, { roles: words(roles), seconds }, now())),
    'enrolment.list': async () => listEnrolments(parts, now()),
    'request.approve': ({ request }) => inTurn(() => approveRequest(parts, request, now())),
    'request.deny': ({ request }) => inTurn(() => denyRequests(parts, request, now())),
    'enrolment.watch': ({ number }) => watch(number),
    'token.redeem': (params) => inTurn(() => redeemToken(parts, params, now())),
    'request.ask': (params) => inTurn(() => askToJoin(parts, params, now())),
    'device.renew': (params) => inTurn(() => renewDevice(parts, params, now())),
  };
}

function listEnrolments(parts: EnrolmentParts, nowMs: number): EnrolmentList {
  const { tokens, join } = parts.book.now;
  const kept = tokens.filter(({ endsAtMs }) => nowMs < endsAtMs + ENROLMENT_KEPT_MS);
  return {
    tokens: kept.slice(0, LIST_TOKENS_MAX).map((one) => tokenRow(one, nowMs)),
    requests: alive(parts, nowMs).map(requestRow),
    joinUntil: nowMs < join.endsAtMs ? new Date(join.endsAtMs).toISOString() : '',
  };
}

function tokenRow({ name, roles, endsAtMs, wrongTries, key }: TokenEntry, nowMs: number): TokenRow {
  const state = wrongTries >= WRONG_TRIES_MAX ? 'dead' : key !== '' ? 'redeemed' : nowMs >= endsAtMs ? 'ended' : 'open';
  return { name, roles, endsAt: new Date(endsAtMs).toISOString(), state, wrongTries };
}

/** Answers once the state is not the one that is known, or after a while with the same. */
function watcher(parts: EnrolmentParts, now: () => number): (known: number) => Promise<EnrolmentState> {
  let last: EnrolmentState = { number: 1, open: false, why: '' };
  const look = (): EnrolmentState => {
    const why = reasonToOpen(parts, now());
    if (why !== last.why) last = { number: last.number + 1, open: why !== '', why };
    return last;
  };
  return async (known) => {
    const end = performance.now() + WATCH_MS;
    // Tokens and windows end by time as well, so it looks once a second.
    for (let state = look(); ; state = look()) {
      if (state.number !== known || performance.now() >= end) return state;
      await parts.book.changed(Math.min(1_000, WATCH_MS));
    }
  };
}

/** Why the listener has to be open, for people; empty if it has not to. */
function reasonToOpen(parts: EnrolmentParts, nowMs: number): string {
  const { tokens, join } = parts.book.now;
  // Whoever was answered may not have heard it: for a while the answer can be fetched again.
  const isFresh = (atMs: number) => nowMs < atMs + FETCH_AGAIN_MS;
  const open = tokens.filter(
    ({ endsAtMs, wrongTries, key, redeemedAtMs }) =>
      nowMs < endsAtMs && wrongTries < WRONG_TRIES_MAX && (key === '' || isFresh(redeemedAtMs)),
  ).length;
  const asking = alive(parts, nowMs).filter(
    ({ state, fetchedAtMs }) => state !== 'denied' && (fetchedAtMs === 0 || isFresh(fetchedAtMs)),
  ).length;
  const due = renewalsDue(parts, nowMs);
  return [
    open > 0 ? 'tokens' : '',
    nowMs < join.endsAtMs ? 'the join window' : '',
    asking > 0 ? 'requests' : '',
    due ? 'renewals' : '',
  ]
    .filter((one) => one !== '')
    .join(', ');
}

/** Whether the CA is being replaced, or some device's latest certificate is old enough to be renewed, and not so old that nobody will. */
function renewalsDue({ ca, ledger, isRevoked }: EnrolmentParts, nowMs: number): boolean {
  // While the CA is being replaced every device has to get a certificate of the new one.
  if (ca.authorities.old !== undefined) return true;
  return ledger.deviceNames.some((name) => {
    const latest = ledger.device(name)?.at(-1);
    if (latest === undefined || isRevoked(latest.serial)) return false;
    const from = Date.parse(latest.notBefore);
    const to = Date.parse(latest.notAfter);
    return nowMs >= from + (to - from) * RENEW_OPEN.share && nowMs < to + RENEW_OPEN.pastEndMs;
  });
}

function words(text: string): string[] {
  return text.split(' ').filter((one) => one !== '');
}
