// The authority, its clients, and the certificates of this host. Importing this file loads no X.509 library.

export type { AskPassphrase } from './authority/asking.ts';
export { acquireLock, type Lock } from './authority/lock.ts';
export { type ReadyLine, runAuthorityProcess } from './authority/process.ts';
export { type AuthorityOptions, type RunningAuthority, startAuthority } from './authority/start.ts';
export {
  type BackupKeys,
  type BackupTo,
  checkIdentities,
  checkRecipients,
  decryptWith,
  encryptFor,
} from './backup/age.ts';
export { type Later, readLater } from './backup/later.ts';
export {
  checkAuthorityPart,
  type Merging,
  type PartFacts,
  type RestoredFacts,
  restoreAuthorityPart,
} from './backup/read-part.ts';
export { openAuthority, openBrokerAuthority } from './client/client.ts';
export type { Administrator, BrokerAuthority } from './client/faces.ts';
export { type OfflineOptions, withAuthority } from './client/offline.ts';
export { certsOnly } from './enrol/certs-only.ts';
export { decodeToken, type EnrolmentToken, encodeToken } from './enrol/token.ts';
export { createCsr, createKeyAndCsr, KEY_TYPES, type KeyAndRequest, type KeyOptions, type KeyType } from './keys.ts';
export { JOIN_SECONDS_MAX, RENEW_AT, TOKEN_SECONDS } from './limits.ts';
export type { AlternativeName } from './profiles/profile.ts';
export * from './protocol.ts';
export { type CrlFile, crlFiles } from './revoke/crl-files.ts';
export {
  obtainServerCertificate,
  type ServerCertificate,
  type ServerCertificateOptions,
  serverCertificateDue,
} from './server-certificate.ts';
export { mergeNames, serverNames } from './server-names.ts';
export { Floor, type FloorParts, LOOK_MS } from './time-floor.ts';
