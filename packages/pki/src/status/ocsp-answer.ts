// A responder's answer (RFC 6960, 4.2), believed only if whoever may answer for the CA signed it, it is about the certificate that
// was asked about, and it is of now.

import { loadOcsp } from './load-ocsp.ts';
import { isAbout, NONCE, type OcspQuestion } from './ocsp-request.ts';
import { type Delegate, signerOf } from './responder.ts';

export interface OcspAnswer {
  readonly status: 'good' | 'revoked' | 'unknown';
  /** True if its holder has another certificate instead. */
  readonly superseded: boolean;
  /** In ms; undefined if there may be news at any time. */
  readonly nextUpdateMs: number | undefined;
  /** Who signed in the CA's place; whoever has a list of that CA can look whether that one was revoked. */
  readonly signer: Delegate | undefined;
}

/** Rejects with an Error of one sentence for an answer that cannot be relied upon. */
export async function readOcspAnswer(bytes: Uint8Array, asked: OcspQuestion, nowMs: number): Promise<OcspAnswer> {
  if (bytes.length > ANSWER_BYTES_MAX) throw new Error(`the answer is larger than ${ANSWER_BYTES_MAX} bytes`);
  const { asn1, ocsp } = await loadOcsp();
  const parsed = await parse(bytes);
  const { tbsResponseData: said, tbsResponseDataRaw: raw, signatureAlgorithm, signature, certs = [] } = parsed;
  if (raw === undefined) throw new Error(NO_ANSWER);
  const signed = {
    bytes: new Uint8Array(raw),
    signature: new Uint8Array(signature),
    algorithm: new Uint8Array(asn1.AsnConvert.serialize(signatureAlgorithm)),
  };
  const certificates = certs.map((one) => new Uint8Array(asn1.AsnConvert.serialize(one)));
  const signer = signerOf({ signed, certificates }, asked.issuer, nowMs);
  const { responseExtensions: extensions = [] } = said;
  const one = said.responses.find(({ certID: id }) =>
    isAbout(asked, {
      algorithm: id.hashAlgorithm.algorithm,
      name: id.issuerNameHash.buffer,
      key: id.issuerKeyHash.buffer,
      serial: id.serialNumber,
    }),
  );
  if (one === undefined) throw new Error('the answer is about another certificate');
  const unknown = [...extensions, ...(one.singleExtensions ?? [])].find(
    ({ critical, extnID }) => critical && extnID !== NONCE,
  );
  if (unknown !== undefined)
    throw new Error(`the answer has a critical extension that is not known here: ${unknown.extnID}`);
  const nonce = extensions.find(({ extnID }) => extnID === NONCE)?.extnValue.buffer;
  if (nonce !== undefined && !isNonce(nonce, asked.nonce))
    throw new Error('the answer is to another question: its nonce is another');
  checkTimes(one.thisUpdate.getTime(), one.nextUpdate?.getTime(), nonce !== undefined, nowMs);
  const { certStatus } = one;
  const status =
    certStatus instanceof ocsp.CertStatus && certStatus.revoked !== undefined
      ? 'revoked'
      : certStatus.good === null
        ? 'good'
        : 'unknown';
  return {
    status,
    superseded: certStatus.revoked?.revocationReason?.reason === SUPERSEDED,
    nextUpdateMs: one.nextUpdate?.getTime(),
    signer,
  };
}

async function parse(bytes: Uint8Array) {
  const { asn1, ocsp } = await loadOcsp();
  let outer: InstanceType<typeof ocsp.OCSPResponse>;
  let basic: InstanceType<typeof ocsp.BasicOCSPResponse> | undefined;
  try {
    outer = asn1.AsnConvert.parse(bytes, ocsp.OCSPResponse);
    const { responseBytes } = outer;
    if (responseBytes?.responseType === BASIC)
      basic = asn1.AsnConvert.parse(responseBytes.response.buffer, ocsp.BasicOCSPResponse);
  } catch (cause) {
    throw new Error(NO_ANSWER, { cause });
  }
  const status = Number(outer.responseStatus);
  if (status !== 0) throw new Error(`the responder answers with ${STATUS.get(status) ?? 'an error'}`);
  if (basic === undefined) throw new Error(NO_ANSWER);
  return basic;
}

function isNonce(found: ArrayBuffer, asked: Uint8Array): boolean {
  const [value, mine] = [Buffer.from(found), Buffer.from(asked)];
  // An OCTET STRING within the extension's; the older RFC 2560 had the bare bytes.
  return value.equals(mine) || (value[0] === 0x04 && value[1] === mine.length && value.subarray(2).equals(mine));
}

function checkTimes(thisUpdateMs: number, nextUpdateMs: number | undefined, isFresh: boolean, nowMs: number): void {
  const text = (ms: number): string => `${new Date(ms).toISOString().slice(0, 19)}Z`;
  if (thisUpdateMs > nowMs + CLOCK_SKEW_MS)
    throw new Error(`the answer begins later than now, ${text(thisUpdateMs)}: look at the clocks`);
  if (nextUpdateMs !== undefined && !(nowMs < nextUpdateMs))
    throw new Error(`the answer has ended: ${text(nextUpdateMs)}`);
  if (nextUpdateMs === undefined && !isFresh && nowMs - thisUpdateMs > CLOCK_SKEW_MS)
    throw new Error(
      `the answer says neither until when it is good nor whom it answers, and is of ${text(thisUpdateMs)}`,
    );
}

export const ANSWER_BYTES_MAX = 32 * 1024;
/** id-pkix-ocsp-basic. */
const BASIC = '1.3.6.1.5.5.7.48.1.1';
const SUPERSEDED = 4;
const CLOCK_SKEW_MS = 300_000;
const NO_ANSWER = 'it is no answer to a question about a certificate';
const STATUS: ReadonlyMap<number, string> = new Map([
  [1, 'malformedRequest'],
  [2, 'internalError'],
  [3, 'tryLater'],
  [5, 'sigRequired'],
  [6, 'unauthorized'],
]);
