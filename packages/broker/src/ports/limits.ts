// Every limit that a peer can run into, each with its unit in its name. Defaults are safe; `motte.yaml` may change them.

export interface Limits {
  /** Largest packet taken from a client, fixed header included. */
  readonly packetBytesMax: number;
  /** Largest CONNECT; nothing bigger is buffered for a peer that was not proven. */
  readonly connectBytesMax: number;
  /** Receive Maximum that the broker announces; an MQTT 3 client beyond it is not read. */
  readonly receiveMaximum: number;
  /** QoS 1 and 2 messages under way to one client at once, below its own Receive Maximum. */
  readonly inFlightMax: number;
  readonly topicLevelsMax: number;
  /** Topic Alias Maximum in both directions. */
  readonly topicAliasMax: number;
  readonly queueMessagesMax: number;
  readonly queueBytesMax: number;
  /** How long a message waits for a session before it is given up; 0 = for ever. */
  readonly queueAgeSecondsMax: number;
  /** Bytes owed to all sessions of one identity together. */
  readonly queuedBytesPerIdentityMax: number;
  /** Messages and bytes owed to all sessions together. */
  readonly queuedMessagesMax: number;
  readonly queuedBytesMax: number;
  /** Bytes that wait for the disk above which publishers are not read. */
  readonly stagedBytesMax: number;
  /** Unsent bytes on a connection above which QoS 0 is dropped. */
  readonly unsentBytesMax: number;
  readonly subscriptionsPerSessionMax: number;
  readonly subscriptionsMax: number;
  readonly sessionsMax: number;
  /** Sessions of one identity, connected and away; there is none for the anonymous. */
  readonly sessionsPerIdentityMax: number;
  /** Memory of the process in whose upper part new sessions, clients and messages are turned away; 0 = it has no end. */
  readonly memoryBytesMax: number;
  readonly retainedMessagesMax: number;
  readonly retainedBytesMax: number;
  /** Topics whose route is remembered. */
  readonly routesMax: number;
  readonly sessionExpirySecondsMax: number;
  /** Longest keep-alive granted; a client that asks for more (or for none) gets this as Server Keep Alive. */
  readonly keepAliveSecondsMax: number;
  readonly handshakeDeadlineMs: number;
  readonly connectDeadlineMs: number;
  readonly partialPacketDeadlineMs: number;
  readonly authenticateDeadlineMs: number;
  /** Proofs of identity under way at once. */
  readonly authenticationsAtOnceMax: number;
  /** Logins by password that wait for their turn to be hashed, and those of them from one source. */
  readonly loginsWaitingMax: number;
  readonly loginsWaitingPerSourceMax: number;
  /** Time a connection that is being closed has to take what it was sent. */
  readonly closeDeadlineMs: number;
  /** Time clients have to finish what is under way when the broker is asked to end. */
  readonly drainMs: number;
}

const MIB = 1024 * 1024;

export const DEFAULT_LIMITS: Limits = Object.freeze({
  packetBytesMax: MIB,
  connectBytesMax: 16 * 1024,
  receiveMaximum: 100,
  inFlightMax: 100,
  topicLevelsMax: 128,
  topicAliasMax: 32,
  queueMessagesMax: 1000,
  queueBytesMax: 8 * MIB,
  queueAgeSecondsMax: 0,
  queuedBytesPerIdentityMax: 64 * MIB,
  queuedMessagesMax: 1_000_000,
  queuedBytesMax: 512 * MIB,
  stagedBytesMax: 64 * MIB,
  unsentBytesMax: MIB,
  subscriptionsPerSessionMax: 1000,
  subscriptionsMax: 1_000_000,
  sessionsMax: 100_000,
  sessionsPerIdentityMax: 100,
  memoryBytesMax: 0,
  retainedMessagesMax: 1_000_000,
  retainedBytesMax: 512 * MIB,
  routesMax: 20_000,
  sessionExpirySecondsMax: 0xffff_ffff,
  keepAliveSecondsMax: 0xffff,
  handshakeDeadlineMs: 10_000,
  connectDeadlineMs: 10_000,
  partialPacketDeadlineMs: 15_000,
  authenticateDeadlineMs: 5_000,
  authenticationsAtOnceMax: 64,
  loginsWaitingMax: 48,
  loginsWaitingPerSourceMax: 8,
  closeDeadlineMs: 5_000,
  drainMs: 5_000,
});
