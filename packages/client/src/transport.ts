// The stream that carries MQTT bytes, as this package sees it. A Node Duplex fits as it is; so does anything with
// these few methods. Opening one is the business of transport/*.ts or of the caller.

export interface Transport {
  /** False when the caller should wait for `drain` before it writes more. */
  write(bytes: Uint8Array): boolean;
  /** Sends what is buffered, then ends the stream. */
  end(): unknown;
  /** Drops the stream at once. */
  destroy(error?: Error): unknown;
  on(event: 'data', listener: (chunk: Uint8Array) => void): unknown;
  on(event: 'error', listener: (error: Error) => void): unknown;
  on(event: 'drain' | 'close', listener: () => void): unknown;
}

/** Opens a transport; rejects with the reason if the peer cannot be reached. */
export type OpenTransport = () => Transport | Promise<Transport>;
