// Names what a peer said first, for the operator who wonders why it was turned away.

/** What the bytes look like, as the object of a sentence. */
export function describeFirstBytes(bytes: Uint8Array): string {
  const text = String.fromCharCode(...bytes.subarray(0, 8));
  if (bytes[0] === 0x10) return 'a plain MQTT CONNECT';
  if (bytes[0] === 0x16) return 'a TLS ClientHello';
  if (bytes[0] === 0x15) return 'a TLS alert';
  if (HTTP.test(text)) return 'a plain HTTP request';
  if (text.startsWith('PROXY') || text.startsWith('\r\n\r\n')) return 'a PROXY protocol header';
  if (text.startsWith('SSH-')) return 'an SSH client';
  if ((bytes[0] ?? 0) >= 0x80 && bytes[2] === 1) return 'a ClientHello of SSL 2';
  return `bytes that begin with ${Buffer.from(bytes.subarray(0, 8)).toString('hex')}`;
}

const HTTP = /^(GET|HEAD|POST|PUT|PATCH|DELETE|OPTIONS|TRACE|CONNECT|PRI) ?/;
