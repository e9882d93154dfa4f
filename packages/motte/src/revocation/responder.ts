// One question to a responder over HTTP, and whether it is worth asking at all: one that was silent is left alone for a while, but for
// a single question that finds out whether it is back.

import { randomBytes } from 'node:crypto';
import type { Clock } from '@motte/broker/ports/clock';
import {
  ANSWER_BYTES_MAX,
  encodeOcspRequest,
  type OcspAnswer,
  readOcspAnswer,
  type StatusIssuer,
} from '@motte/pki/status';
import { requestBounded, UnfitAnswer } from '../data/bounded-request.ts';

export interface ResponderParts {
  readonly url: string;
  readonly serverCa: string | undefined;
  readonly clock: Clock;
}

export class Responder {
  readonly #parts: ResponderParts;
  /** Monotonic; 0 = it is not. */
  #silentUntilMs = 0;
  /** Why the last question got no answer that can be believed; undefined if it did. */
  fault: string | undefined;

  constructor(parts: ResponderParts) {
    this.#parts = parts;
  }

  /** False while it is known to be silent; the first to ask after that finds out, and the others wait for what it finds. */
  mayAsk(): boolean {
    const atMs = this.#parts.clock.monotonicMs();
    if (atMs < this.#silentUntilMs) return false;
    if (this.#silentUntilMs !== 0) this.#silentUntilMs = atMs + SILENT_MS;
    return true;
  }

  /** Rejects with an Error of one sentence, which stays in `fault`. */
  async ask(issuer: StatusIssuer, serial: string): Promise<OcspAnswer & { readonly der: Uint8Array }> {
    const { url, serverCa, clock } = this.#parts;
    let hasAnswered = false;
    try {
      const question = { issuer, serial, nonce: randomBytes(NONCE_BYTES) };
      const body = await encodeOcspRequest(question);
      const headers = { 'content-type': 'application/ocsp-request', accept: 'application/ocsp-response' };
      const limits = { bytesMax: ANSWER_BYTES_MAX, deadlineMs: ASK_DEADLINE_MS };
      const bytes = await requestBounded({ url, caFile: serverCa, headers, body, ...limits });
      hasAnswered = true;
      this.#silentUntilMs = 0;
      const answer = await readOcspAnswer(bytes, question, clock.nowMs());
      this.fault = undefined;
      return { ...answer, der: bytes };
    } catch (fault) {
      hasAnswered ||= (fault as Error).cause instanceof UnfitAnswer;
      this.fault = (fault as Error).message;
      // An answer that is no good concerns one certificate; whoever shows it must not keep the others out.
      this.#silentUntilMs = hasAnswered ? 0 : clock.monotonicMs() + SILENT_MS;
      throw fault;
    }
  }
}

/** RFC 9654, 2.1. */
const NONCE_BYTES = 32;
/** Below what a proof of identity may take. */
const ASK_DEADLINE_MS = 3_000;
const SILENT_MS = 10_000;
