// @motte/client: a small MQTT 5.0, 3.1.1 and 3.1 client over a transport of the caller's choice.
// It does not reconnect: `closed` says how a connection ended, and the caller decides.

export { connectClient } from './connect-client.ts';
export { type LocalReason, MqttError } from './mqtt-error.ts';
export type {
  ClientOptions,
  Closed,
  IncomingMessage,
  MqttClient,
  PublishOptions,
  PublishResult,
  Subscription,
} from './options.ts';
export { SYSTEM_TIMERS, type Timers } from './timers.ts';
export { type TcpOptions, tcpTransport } from './transport/tcp.ts';
export { type TlsTransportOptions, tlsTransport } from './transport/tls.ts';
export { unixTransport } from './transport/unix.ts';
export { type WebSocketOptions, webSocketTransport } from './transport/web-socket.ts';
export type { OpenTransport, Transport } from './transport.ts';
