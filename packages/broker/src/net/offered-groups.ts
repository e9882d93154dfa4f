// Names of the key exchange groups that a client offers (RFC 8446, 4.2.7). Which of them was taken cannot be read on a server,
// so what was offered is what is reported.

/** Names in the client's order, the first few of them; one string per combination, however many clients offer it. */
export function groupNames(groups: readonly number[]): string {
  const known = groups.flatMap((group) => NAMES.get(group) ?? []).slice(0, SHOWN);
  const text = known.join(' ');
  const before = seen.get(text);
  if (before !== undefined) return before;
  if (seen.size < SEEN_MAX) seen.set(text, text);
  return text;
}

const NAMES: ReadonlyMap<number, string> = new Map([
  [0x0017, 'P-256'],
  [0x0018, 'P-384'],
  [0x0019, 'P-521'],
  [0x001d, 'X25519'],
  [0x001e, 'X448'],
  [0x0100, 'ffdhe2048'],
  [0x0101, 'ffdhe3072'],
  [0x11eb, 'SecP256r1MLKEM768'],
  [0x11ec, 'X25519MLKEM768'],
]);
const SHOWN = 4;

/** Devices of one kind offer the same: each combination is kept once. */
const seen = new Map<string, string>();
const SEEN_MAX = 256;
