// What counts towards the broker's Receive Maximum at QoS 2 (3.3.4, 4.9). It is no part of the session and begins anew with each
// connection: a message counts from its PUBLISH on this connection, also one that is sent again, to its PUBREL. What earlier
// connections left does not count; how much of it is kept is said by other limits. PUBACKs are counted where they wait.

/** Never written to. */
const NONE: ReadonlySet<number> = new Set();

export class ReceiveQuota {
  /** Most clients at a time have none. */
  private received: ReadonlySet<number> = NONE;
  /**
   * Exchanges of earlier connections that ended on this one, at most as many as the Receive Maximum: their PUBCOMPs add to the
   * quota of a client that has used it meanwhile (4.9).
   */
  private carried = 0;

  get size(): number {
    return this.received.size;
  }

  /** True if its PUBLISH came on this connection and it is not released. */
  has(packetId: number): boolean {
    return this.received.has(packetId);
  }

  /** Whether one more may come while so many PUBACKs wait. */
  hasRoom(pubacks: number, receiveMaximum: number): boolean {
    return pubacks + this.received.size < receiveMaximum + this.carried;
  }

  receive(packetId: number): void {
    if (this.received === NONE) this.received = new Set();
    (this.received as Set<number>).add(packetId);
  }

  /** PUBREL came, also of a message that nobody knows: PUBCOMP answers that as well. */
  release(packetId: number, receiveMaximum: number): void {
    if (this.received.has(packetId)) (this.received as Set<number>).delete(packetId);
    else if (this.carried < receiveMaximum) this.carried += 1;
  }
}
