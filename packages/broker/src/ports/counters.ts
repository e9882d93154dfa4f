// Plain integer fields, raised where things happen and read by whoever exports them: no map, no label, no call.

export class Counters {
  connectionsOpened = 0;
  connectionsClosed = 0;
  clientsConnected = 0;
  refusals = 0;
  packetsReceived = 0;
  bytesReceived = 0;
  bytesSent = 0;
  messagesReceived = 0;
  messagesDelivered = 0;
  messagesDropped = 0;
  messagesExpired = 0;
  retained = 0;
  /** What is held, messages and bytes owed to all sessions, and what the host measures: as of the last tick. */
  subscriptions = 0;
  sessions = 0;
  queuedMessages = 0;
  queuedBytes = 0;
  memoryBytes = 0;
  eventLoopLagMs = 0;
  /** Days until the first certificate of the broker or of a CA ends, and devices whose own ends soon; as of the last look. */
  certificateDaysLeft = 0;
  devicesEnding = 0;
  assertions = 0;
  observerFaults = 0;
}
