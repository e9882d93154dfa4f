// What is known of certificates of other CAs: revocation lists, and answers of responders. Bytes alone; who fetches and keeps
// them is for the caller.

export { ANSWER_BYTES_MAX, type OcspAnswer, readOcspAnswer } from './ocsp-answer.ts';
export { encodeOcspRequest, type OcspQuestion } from './ocsp-request.ts';
export { type RevocationList, readRevocationList, splitLists } from './revocation-list.ts';
export { parseStatusIssuer, type StatusIssuer } from './status-issuer.ts';
