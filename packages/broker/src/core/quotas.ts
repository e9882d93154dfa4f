// The quotas of an identity's roles, held against what its clients ask for: one question for each kind of request. Every answer
// names the number, the role it is from and what came.

import { QUOTAS, type QuotaName, type Quotas } from '../ports/quotas.ts';
import { ALLOW, type Refusal, refuse, type Verdict } from '../ports/verdict.ts';
import type { Client } from './client.ts';
import type { Account } from './owed.ts';
import { Rate } from './rate.ts';
import type { Session } from './session.ts';

/** One message, whoever sends it when: what it is, not how many there were. */
export function checkMessage(quotas: Quotas, topic: string, payloadBytes: number): Verdict {
  if (payloadBytes > quotas.payloadBytes) return exceeded(quotas, 'payloadBytes', `the message has ${payloadBytes}`);
  return checkLevels(quotas, topic, 'the topic');
}

/** A topic or a filter. */
export function checkLevels(quotas: Quotas, text: string, what: string): Verdict {
  if (quotas.topicLevels === Number.POSITIVE_INFINITY) return ALLOW;
  let levels = 1;
  for (let at = text.indexOf('/'); at >= 0; at = text.indexOf('/', at + 1)) levels += 1;
  return levels > quotas.topicLevels ? exceeded(quotas, 'topicLevels', `${what} has ${levels}`) : ALLOW;
}

/** One more of what is counted. */
export function checkCount(quotas: Quotas, name: QuotaName, held: number): Verdict {
  return held >= quotas[name] ? exceeded(quotas, name, `there are ${held} already`) : ALLOW;
}

/** What it would come to. */
export function checkSum(quotas: Quotas, name: QuotaName, sum: number): Verdict {
  return sum > quotas[name] ? exceeded(quotas, name, `it would be ${sum}`) : ALLOW;
}

/**
 * Counts a published message, also one that is refused for something else. Beyond its rate an identity is refused, or its client
 * is not read until what it sent is paid for; that message still counts.
 */
export function checkRate(client: Client, quotas: Quotas, account: Account, payloadBytes: number): Verdict {
  if (isUnbound(quotas)) return ALLOW;
  const { monotonicMs } = client.core;
  account.rate ??= new Rate(quotas, monotonicMs);
  const { rate } = account;
  const usedUp = quotas.beyondRate === 'refuse' ? rate.usedUp(quotas, monotonicMs) : undefined;
  if (usedUp !== undefined) return exceeded(quotas, usedUp, 'more came');
  rate.take(payloadBytes);
  const debtMs = quotas.beyondRate === 'slow' ? rate.debtMs(quotas, monotonicMs) : 0;
  if (debtMs > 0) slow(client, quotas, rate.slower, debtMs);
  return ALLOW;
}

/**
 * Holds a client to what its identity owes already, by the quotas of now: one that connects anew is read no sooner, and a policy that
 * allows more is felt at once.
 */
export function slowByDebt(client: Client, session: Session): void {
  const { rate } = session.account;
  if (rate === undefined) return;
  const { quotas } = client.core.rightsOf(session);
  // By one that has no rate nothing is paid for another of the same identity that has.
  const debtMs = isUnbound(quotas) ? 0 : rate.debtMs(quotas, client.core.monotonicMs);
  if (debtMs > 0 && quotas.beyondRate === 'slow') slow(client, quotas, rate.slower, debtMs);
  else client.slowFor(0);
}

/** True where no role says how fast. */
function isUnbound({ messagesPerSecond, bytesPerSecond }: Quotas): boolean {
  return messagesPerSecond === Number.POSITIVE_INFINITY && bytesPerSecond === Number.POSITIVE_INFINITY;
}

function slow(client: Client, quotas: Quotas, name: QuotaName, debtMs: number): void {
  const { core } = client;
  const pauseMs = Math.min(debtMs, PAUSE_MS_MAX);
  client.slowFor(pauseMs);
  if (core.monotonicMs < client.slowToldMs) return;
  client.slowToldMs = core.monotonicMs + TOLD_AGAIN_MS;
  core.reports.slowed(client, { quota: name, max: quotas[name], role: quotas.roles[name] ?? '', pauseMs });
}

function exceeded(quotas: Quotas, name: QuotaName, found: string): Refusal {
  const role = quotas.roles[name] ?? '';
  const because = `role ${role} allows ${quotas[name]} ${QUOTAS[name].unit}, and ${found}`;
  return refuse('quota-exceeded', because, `role ${role}, quotas.${name}`);
}

/** A client that is not read cannot be heard to be gone: it is asked for one more message so often, whatever it owes. */
const PAUSE_MS_MAX = 30_000;
/** That a client is slowed is said once in so long. */
const TOLD_AGAIN_MS = 60_000;
