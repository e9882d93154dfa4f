// Answers of responders about our own server certificates, for clients that ask for one in the handshake (RFC 6066, 8). Fetched in
// the background and kept while they hold; a handshake takes what is there and waits for nothing. For certificates of the operator's
// that name a responder, where tls.staple says so: the authority's own name none.

import { X509Certificate } from 'node:crypto';
import type { HealthFinding } from '@motte/broker/ports/admin-view';
import type { Clock } from '@motte/broker/ports/clock';
import type { TlsMaterial } from '@motte/broker/ports/config';
import { parseStatusIssuer, type StatusIssuer } from '@motte/pki/status';
import { splitPem } from '../start/client-authorities.ts';
import { Responder } from './responder.ts';
import { namedResponders } from './responder-address.ts';

export interface StaplingParts {
  readonly clock: Clock;
}

interface Stapled {
  readonly serial: string;
  readonly issuer: StatusIssuer;
  readonly responder: Responder;
  answer: Uint8Array | undefined;
  goodUntilMs: number;
  dueAtMs: number;
  fault: string | undefined;
}

export class Stapling {
  readonly #parts: StaplingParts;
  /** By the PEM text of what is shown. */
  #stapled: ReadonlyMap<string, Stapled> = new Map();
  #unfit: readonly string[] = [];
  #timer: NodeJS.Timeout | undefined;

  constructor(parts: StaplingParts) {
    this.#parts = parts;
  }

  /** What is to be stapled to a certificate now; undefined if there is nothing that holds. */
  readonly of = (cert: string): Uint8Array | undefined => {
    const one = this.#stapled.get(cert);
    return one === undefined || this.#parts.clock.nowMs() >= one.goodUntilMs ? undefined : one.answer;
  };

  /** The same with what is to be stapled, where the configuration says that something is. */
  added(tls: TlsMaterial, wanted: 'off' | 'on'): TlsMaterial {
    return wanted === 'on' ? { ...tls, staple: this.of } : tls;
  }

  /** Looks every second whether something is due, until it is closed. */
  begin(): void {
    void this.look();
    this.#timer = setInterval(() => void this.look(), LOOK_MS);
    this.#timer.unref();
  }

  close(): void {
    clearInterval(this.#timer);
  }

  /** These are shown from now on. */
  use({ cert, further = [], staple }: TlsMaterial): void {
    const before = this.#stapled;
    const stapled = new Map<string, Stapled>();
    const unfit: string[] = [];
    for (const pem of staple === undefined ? [] : [cert, ...further.map((one) => one.cert)]) {
      const fresh = before.get(pem) ?? this.#begin(pem);
      if (typeof fresh === 'string') unfit.push(fresh);
      else if (fresh !== undefined) stapled.set(pem, fresh);
    }
    this.#stapled = stapled;
    this.#unfit = unfit;
  }

  /** Fetches what is due. */
  async look(): Promise<void> {
    await Promise.all([...this.#stapled.values()].map((one) => this.#refresh(one)));
  }

  findings(): HealthFinding[] {
    const faults = [...this.#stapled.values()].flatMap(({ fault }) => (fault === undefined ? [] : [fault]));
    return [...this.#unfit, ...faults].map((why) => ({ subject: 'certificate', why: `nothing new to staple: ${why}` }));
  }

  /** Undefined for a certificate that names no responder; a text says why there can be no answer. */
  #begin(pem: string): Stapled | string | undefined {
    const [leaf, ...others] = splitPem(pem).map((one) => new X509Certificate(one));
    const [url] = leaf === undefined ? [] : namedResponders(leaf);
    if (leaf === undefined || url === undefined) return undefined;
    const issuer = others.find((ca) => leaf.checkIssued(ca) && leaf.verify(ca.publicKey));
    if (issuer === undefined) return 'the CA that issued the certificate does not follow it in its file';
    const { clock } = this.#parts;
    return {
      serial: leaf.serialNumber,
      issuer: parseStatusIssuer(issuer.raw),
      responder: new Responder({ url, serverCa: undefined, clock }),
      answer: undefined,
      goodUntilMs: 0,
      dueAtMs: Number.NEGATIVE_INFINITY,
      fault: undefined,
    };
  }

  async #refresh(one: Stapled): Promise<void> {
    const { clock } = this.#parts;
    const askedMs = clock.monotonicMs();
    if (askedMs < one.dueAtMs) return;
    // Until then it is under way, or was in vain.
    one.dueAtMs = askedMs + RETRY_MS;
    try {
      const { status, nextUpdateMs, der } = await one.responder.ask(one.issuer, one.serial);
      if (status !== 'good') throw new Error(`the responder says of the server’s own certificate: ${status}`);
      // Nobody could tell how old it is.
      if (nextUpdateMs === undefined) throw new Error('the answer does not say until when it is good');
      one.answer = der;
      one.goodUntilMs = nextUpdateMs;
      one.dueAtMs = askedMs + Math.max((nextUpdateMs - clock.nowMs()) / 2, RETRY_MS);
      one.fault = undefined;
    } catch (fault) {
      one.fault = (fault as Error).message;
    }
  }
}

const RETRY_MS = 60_000;
const LOOK_MS = 1_000;
