// What is known of certificates of other CAs: revocation lists. Bytes alone; who fetches and keeps them is for the caller.

export { LIST_BYTES_MAX, type RevocationList, readRevocationList, splitLists } from './revocation-list.ts';
export { parseStatusIssuer, type StatusIssuer } from './status-issuer.ts';
