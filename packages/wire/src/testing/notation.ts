// The notation of vectors/README.md: items that stand for bytes.

/** The bytes that a text in the notation stands for. Throws Error where it is not understood. */
export function bytesOf(notation: string): Uint8Array {
  const items = [...notation.matchAll(ITEM)].map((match) => match[0]).filter((item) => !item.startsWith('('));
  const rest = notation.replaceAll(ITEM, '').trim();
  if (rest !== '') throw new Error(`not in the notation: ${rest}`);
  const parser = { items, at: 0 };
  const bytes = sequence(parser);
  if (parser.at < items.length) throw new Error(`an unexpected ] in: ${notation}`);
  return Uint8Array.from(bytes);
}

/** Texts first, then remarks, then what opens and closes a group, then everything else between spaces. */
const ITEM = /~?'(?:[^']|'')*'|\([^)]*\)|(?:bin|props)\[|\]|[0-9a-z*:]+/gsu;

interface Parser {
  readonly items: readonly string[];
  at: number;
}

function sequence(parser: Parser): number[] {
  const bytes: number[] = [];
  for (;;) {
    const item = parser.items[parser.at];
    if (item === undefined || item === ']') return bytes;
    parser.at += 1;
    if (item === 'rl') {
      const rest = sequence(parser);
      return [...bytes, ...variable(rest.length), ...rest];
    }
    if (item.endsWith('[')) {
      const inner = sequence(parser);
      if (parser.items[parser.at++] !== ']') throw new Error(`${item} is not closed`);
      bytes.push(...(item === 'bin[' ? number(inner.length, 2) : variable(inner.length)), ...inner);
    } else bytes.push(...single(item));
  }
}

function single(item: string): number[] {
  if (item.endsWith("'")) {
    const isBare = item.startsWith('~');
    const text = item.slice(isBare ? 2 : 1, -1).replaceAll("''", "'");
    const bytes = [...new TextEncoder().encode(text)];
    return isBare ? bytes : [...number(bytes.length, 2), ...bytes];
  }
  const [, kind, value] = /^(u8|u16|u32|vbi):(\d+)$/.exec(item) ?? [];
  if (kind === 'vbi') return variable(Number(value));
  if (kind !== undefined) return number(Number(value), Number(kind.slice(1)) / 8);
  const [, byte, times] = /^([0-9a-f]{2})\*(\d+)$/.exec(item) ?? [];
  if (byte !== undefined) return Array.from({ length: Number(times) }, () => Number.parseInt(byte, 16));
  if (!/^([0-9a-f]{2})+$/.test(item)) throw new Error(`not in the notation: ${item}`);
  return (item.match(/../g) ?? []).map((pair) => Number.parseInt(pair, 16));
}

function number(value: number, size: number): number[] {
  return Array.from({ length: size }, (_, i) => Math.floor(value / 256 ** (size - 1 - i)) % 256);
}

function variable(value: number): number[] {
  return value < 128 ? [value] : [(value % 128) + 128, ...variable(Math.floor(value / 128))];
}
