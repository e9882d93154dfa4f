// The public face of the protocol between the authority and its two kinds of clients: names, messages, lines, faults.
// Pure: no node:*, no dependency, so that the proof of identity may import it.

export { AUTHORITY_FAULTS, AuthorityFault, type AuthorityFaultCode, isAuthorityFaultCode } from './protocol/faults.ts';
export { LINE_BYTES_MAX, LineReader, encodeLine } from './protocol/lines.ts';
export {
  type Answer,
  type AuthorityMethods,
  type BrokerMethods,
  type CaInfo,
  type DeviceDetails,
  type DeviceSummary,
  type IssuedDevice,
  type IssuedServer,
  METHODS,
  type Method,
  type Methods,
  type Request,
  type TrustMaterial,
  parseAnswer,
  parseRequest,
} from './protocol/messages.ts';
export {
  DEVICE_URI_PREFIX,
  OWN_REALM,
  SERVER_COMMON_NAME,
  caRealm,
  deviceNameOf,
  deviceUri,
  groupFingerprint,
  isDeviceName,
  isHostName,
  isIpAddress,
  parseDeviceName,
  serialText,
} from './protocol/names.ts';
