// The responders of tls.ocsp while the broker runs: who is about to be let in is asked about unless an answer still holds, who is
// connected whenever it is due. Bounded in questions at once, so that one that does not answer keeps nobody else waiting.

import type { BrokerEvent } from '@motte/broker/events';
import type { HealthFinding } from '@motte/broker/ports/admin-view';
import type { Clock } from '@motte/broker/ports/clock';
import type { CertificateInUse, RevokedCertificate } from '@motte/broker/ports/trust';
import { type Refusal, refuse } from '@motte/broker/ports/verdict';
import { caRealm } from '@motte/pki/protocol';
import type { OcspSettings } from '../config/settings.ts';
import { AnswerStore, type KeptAnswer } from './answer-store.ts';
import type { ForeignCas } from './foreign-cas.ts';
import { Responder } from './responder.ts';
import { responderAddress } from './responder-address.ts';

export interface OcspDeskParts {
  readonly clock: Clock;
  readonly told: (event: BrokerEvent) => void;
  /** Something is revoked that was not. */
  readonly onNews: () => void;
  /** Whether a list names a certificate: a responder's own may be revoked as well. */
  readonly isListed: (serial: string, issuer: string) => boolean;
}

export interface OcspRules {
  readonly responders: readonly OcspSettings[];
  readonly unanswered: 'refuse' | 'accept';
}

export class OcspDesk {
  readonly #parts: OcspDeskParts;
  readonly #answers = new AnswerStore();
  /** By address. */
  readonly #responders = new Map<string, Responder>();
  /** Questions under way, by certificate: whoever asks the same waits for the same. */
  readonly #underWay = new Map<string, Promise<KeptAnswer | string>>();
  #rules: OcspRules = { responders: [], unanswered: 'refuse' };
  #cas: ForeignCas = new Map();
  #inForce = '';
  #waiting = 0;
  /** Who is connected and due. */
  #due: CertificateInUse[] = [];

  constructor(parts: OcspDeskParts) {
    this.#parts = parts;
  }

  /** Other rules or CAs from now on; whoever must be asked now is asked anew. */
  use(rules: OcspRules, cas: ForeignCas): void {
    this.#rules = rules;
    this.#cas = cas;
    const inForce = JSON.stringify([rules.responders, [...cas.keys()]]);
    if (inForce === this.#inForce) return;
    this.#inForce = inForce;
    this.#answers.clear();
    this.#responders.clear();
  }

  find(serial: string, issuer: string): RevokedCertificate | undefined {
    const known = this.#answers.get(`${issuer} ${serial}`);
    // After that it is asked anew: a certificate that was held back may be good again.
    if (known?.status !== 'revoked' || !this.#holds(known)) return undefined;
    return { superseded: known.superseded };
  }

  /** As RevokedCertificates.ask. */
  ask(certificate: CertificateInUse): Promise<Refusal | undefined> | undefined {
    const settings = this.#settingsOf(certificate);
    if (settings === undefined) return undefined;
    const known = this.#answers.get(keyOf(certificate));
    if (known?.status === 'good' && this.#holds(known)) return undefined;
    if (this.#waiting >= WAITING_MAX) {
      const because = `too many certificates of ${settings.ca} are being asked about`;
      return Promise.resolve(refuse('server-busy', because, 'tls.ocsp'));
    }
    this.#waiting += 1;
    return this.#answer(certificate, settings)
      .then((answer) => this.#judge(certificate, known, answer))
      .finally(() => (this.#waiting -= 1));
  }

  /** Asks about those who are connected and whose answer is due, a few at a time. */
  refresh(inUse: Iterable<CertificateInUse>): void {
    if (this.#due.length > 0) return;
    const atMs = this.#parts.clock.monotonicMs();
    for (const certificate of inUse) {
      if (this.#due.length >= DUE_MAX) break;
      if (this.#settingsOf(certificate) === undefined) continue;
      const known = this.#answers.get(keyOf(certificate));
      if (known === undefined || atMs >= known.dueAtMs) this.#due.push(certificate);
    }
    for (let n = 0; n < REFRESHING_MAX; n++) void this.#askNext();
  }

  async #askNext(): Promise<void> {
    for (let next = this.#due.shift(); next !== undefined; next = this.#due.shift()) {
      const settings = this.#settingsOf(next);
      if (settings !== undefined) await this.#answer(next, settings);
    }
  }

  /** True if there is anybody to ask. */
  get isAsking(): boolean {
    return this.#rules.responders.length > 0;
  }

  findings(): HealthFinding[] {
    return [...this.#responders.values()].flatMap(({ fault }) =>
      fault === undefined
        ? []
        : [{ subject: 'revocation', why: `a responder gives no answer that can be believed: ${fault}` }],
    );
  }

  #settingsOf({ realm }: CertificateInUse): OcspSettings | undefined {
    return this.#rules.responders.find(({ ca }) => caRealm(ca) === realm);
  }

  #judge({ name }: CertificateInUse, known: KeptAnswer | undefined, answer: KeptAnswer | string): Refusal | undefined {
    if (typeof answer !== 'string') {
      if (answer.status === 'good') return undefined;
      if (answer.status === 'revoked')
        return refuse('not-authorized', `the certificate of ${name} was revoked`, 'identity.revocation');
      return refuse('not-authorized', `the responder does not know the certificate of ${name}`, 'tls.ocsp');
    }
    const wasRefused = known?.status === 'revoked' || known?.status === 'unknown';
    if (this.#rules.unanswered === 'accept' && !wasRefused) return undefined;
    return refuse(
      'not-authorized',
      `whether the certificate of ${name} was revoked is not known: ${answer}`,
      'tls.ocsp',
    );
  }

  /** The answer, or why there is none. Never rejects. */
  #answer(certificate: CertificateInUse, settings: OcspSettings): Promise<KeptAnswer | string> {
    const key = keyOf(certificate);
    let asked = this.#underWay.get(key);
    if (asked === undefined) {
      asked = this.#askResponder(certificate, settings).finally(() => this.#underWay.delete(key));
      this.#underWay.set(key, asked);
    }
    return asked;
  }

  async #askResponder(certificate: CertificateInUse, settings: OcspSettings): Promise<KeptAnswer | string> {
    const key = keyOf(certificate);
    const issuer = this.#cas.get(certificate.issuer)?.issuer;
    const url = responderAddress(settings, certificate.der);
    if (issuer === undefined || url === undefined) {
      this.#putOff(key);
      return 'it names no responder that may be asked';
    }
    const responder = this.#responderAt(url, settings.serverCa);
    if (!responder.mayAsk()) return responder.fault ?? 'the responder is silent';
    const before = responder.fault;
    try {
      const { status, superseded, nextUpdateMs, signer } = await responder.ask(issuer, certificate.serial);
      if (signer !== undefined && this.#parts.isListed(signer.serial, certificate.issuer)) {
        responder.fault = `${url}: the certificate of the responder was revoked`;
        throw new Error(responder.fault);
      }
      this.#tell(settings.ca, url, before, undefined);
      const [nowMs, atMs] = [this.#parts.clock.nowMs(), this.#parts.clock.monotonicMs()];
      const goodUntilMs = nextUpdateMs ?? nowMs + NEWS_AT_ANY_TIME_MS;
      const endsAtMs = atMs + goodUntilMs - nowMs;
      const dueAtMs = Math.max(Math.min(endsAtMs, atMs + settings.refreshMinutes * 60_000), atMs + NEWS_AT_ANY_TIME_MS);
      const kept = { status, superseded, goodUntilMs, endsAtMs, dueAtMs };
      const isNews = status === 'revoked' && this.#answers.get(key)?.status !== 'revoked';
      this.#answers.set(key, kept);
      if (isNews) this.#parts.onNews();
      return kept;
    } catch (fault) {
      this.#tell(settings.ca, url, before, (fault as Error).message);
      this.#putOff(key);
      return (fault as Error).message;
    }
  }

  /** What was known stays so, and is asked about again later. */
  #putOff(key: string): void {
    const { status = 'unanswered', superseded = false, goodUntilMs = 0, endsAtMs = 0 } = this.#answers.get(key) ?? {};
    const dueAtMs = this.#parts.clock.monotonicMs() + NEWS_AT_ANY_TIME_MS;
    this.#answers.set(key, { status, superseded, goodUntilMs, endsAtMs, dueAtMs });
  }

  /** By both clocks: one of them may have been moved, and the other stands still while the machine sleeps. */
  #holds({ goodUntilMs, endsAtMs }: KeptAnswer): boolean {
    return this.#parts.clock.nowMs() < goodUntilMs && this.#parts.clock.monotonicMs() < endsAtMs;
  }

  #responderAt(url: string, serverCa: string | undefined): Responder {
    let responder = this.#responders.get(url);
    if (responder === undefined) {
      responder = new Responder({ url, serverCa, clock: this.#parts.clock });
      const [oldest] = this.#responders.keys();
      if (this.#responders.size >= RESPONDERS_MAX && oldest !== undefined) this.#responders.delete(oldest);
      this.#responders.set(url, responder);
    }
    return responder;
  }

  #tell(ca: string, place: string, before: string | undefined, why: string | undefined): void {
    if (before === why) return;
    const atMs = this.#parts.clock.nowMs();
    if (why !== undefined) this.#parts.told({ name: 'revocation.responder-failed', atMs, ca, place, why });
    else this.#parts.told({ name: 'revocation.responder-answers', atMs, ca, place });
  }
}

function keyOf({ issuer, serial }: CertificateInUse): string {
  return `${issuer} ${serial.toUpperCase().replace(/^0+(?=.)/, '')}`;
}

/** Clients that wait for an answer at once: a part of those whose identity may be under proof. */
const WAITING_MAX = 16;
/** Questions at once about those who are connected, and how many wait for theirs. */
const REFRESHING_MAX = 4;
const DUE_MAX = 1_000;
/** Certificates name addresses on the hosts that are listed, and may name many. */
const RESPONDERS_MAX = 64;
/** How long an answer is believed that does not say until when it is good. */
const NEWS_AT_ANY_TIME_MS = 60_000;
