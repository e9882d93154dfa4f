// The public face of the protocol between the authority and its two kinds of clients: names, messages, lines, faults.
// Pure: no node:*, no dependency, so that the proof of identity may import it.

export {
  type EnrolAnswer,
  type EnrolledDevice,
  type EnrolmentList,
  type EnrolmentState,
  type NewToken,
  type RequestKind,
  type RequestRow,
  renewalText,
  type TokenRow,
} from './protocol/enrolment.ts';
export { AUTHORITY_FAULTS, AuthorityFault, type AuthorityFaultCode, isAuthorityFaultCode } from './protocol/faults.ts';
export { encodeLine, LINE_BYTES_MAX, LineReader } from './protocol/lines.ts';
export { type Answer, parseAnswer, parseRequest, type Request } from './protocol/messages.ts';
export { type AuthorityMethods, type BrokerMethods, METHODS, type Method, type Methods } from './protocol/methods.ts';
export {
  caRealm,
  DEVICE_URI_PREFIX,
  deviceNameOf,
  deviceUri,
  groupFingerprint,
  isDeviceName,
  isHostName,
  isIpAddress,
  isNamedProfile,
  MQTT_PROFILES,
  NAMED_URI_PREFIXES,
  type NamedProfile,
  namedUri,
  OWN_REALM,
  parseDeviceName,
  SERVER_COMMON_NAME,
  serialText,
} from './protocol/names.ts';
export {
  type CaDetails,
  type CaGeneration,
  type CaInfo,
  type DeviceDetails,
  type DeviceSummary,
  type IssuedDevice,
  type IssuedServer,
  type RevocationNews,
  type RevokedDevice,
  type TrustMaterial,
} from './protocol/results.ts';
