// @motte/wire: MQTT 3.1, 3.1.1 and 5.0 bytes to packets and back. Pure: no I/O, no dependency.
export * from './packets/types.ts';
export { PeerError } from './peer-error.ts';
export * from './properties.ts';
export * from './reasons.ts';
