// What routing needs to know of whoever subscribes; the session is one. Routing never sees more of it.
// A remembered route may name a subscriber for a while after it was dropped, until the topic is asked for again: whoever
// ends a subscriber empties what it holds.

export interface Subscriber {
  /** The session's key; compared with a message's publisher for No Local. */
  readonly key: string;
  /** True while a connection stands behind it. */
  readonly online: boolean;
  /** QoS 1 and 2 messages sent to it and not yet acknowledged. */
  readonly inFlight: number;
}
