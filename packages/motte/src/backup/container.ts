// The file of a backup: two lines that everybody can read, the encrypted parts one behind the other, an index of them, and a
// seal over all of it. The seal tells a file that is not whole without any key; who made it only the encryption tells.
//
//   motte backup 1
//   {"id":…,"motte":…,"made":…,"ca":…,"store":1,"to":"recipients","parts":["broker","authority"]}
//   <each part: a file of age>
//   {"parts":[{"name":"broker","at":N,"bytes":N,"sha256":…},…]}
//   motte seal <bytes of the index, ten digits> <SHA-256 of all before this line>

import { type BackupManifest, checkManifest } from '@motte/admin/backup';

/** Raised when the file changes its shape: newer ones are refused by name, older ones are read. */
export const FILE_FORMAT = 1;
export const MAGIC = 'motte backup ';
export const PART_NAMES = ['broker', 'authority'] as const;
export type PartName = (typeof PART_NAMES)[number];

export interface BackupHead extends Omit<BackupManifest, 'format'> {
  readonly to: 'recipients' | 'passphrase';
  readonly parts: readonly PartName[];
}

export interface PartPlace {
  readonly name: PartName;
  /** Bytes before it in the file. */
  readonly at: number;
  readonly bytes: number;
  /** Of the encrypted part, lower-case hex. */
  readonly sha256: string;
}

export function headText(head: BackupHead): string {
  return `${MAGIC}${FILE_FORMAT}\n${JSON.stringify(head)}\n`;
}

/** Undefined for what cannot be one. */
export function parseHead(line: string): BackupHead | undefined {
  const value = parseObject(line);
  if (value === undefined) return undefined;
  const { to, parts } = value;
  if (to !== 'recipients' && to !== 'passphrase') return undefined;
  if (!Array.isArray(parts) || parts.join() !== PART_NAMES.join()) return undefined;
  try {
    const { format: _, ...manifest } = checkManifest({ ...value, format: FILE_FORMAT });
    return { ...manifest, to, parts: PART_NAMES };
  } catch {
    return undefined;
  }
}

export function indexText(parts: readonly PartPlace[]): string {
  return `${JSON.stringify({ parts })}\n`;
}

/** Undefined unless it names both parts, one behind the other, from `from` to `to`. */
export function parseIndex(line: string, { from, to }: { from: number; to: number }): PartPlace[] | undefined {
  const parts = parseObject(line)?.['parts'];
  if (!Array.isArray(parts) || parts.length !== PART_NAMES.length) return undefined;
  let at = from;
  for (const [place, name] of PART_NAMES.entries()) {
    const part = parts[place] as Partial<PartPlace> | null;
    if (part?.name !== name || part.at !== at || typeof part.sha256 !== 'string') return undefined;
    if (typeof part.bytes !== 'number' || !Number.isSafeInteger(part.bytes) || part.bytes < 0) return undefined;
    at += part.bytes;
  }
  return at === to ? (parts as PartPlace[]) : undefined;
}

export function sealText(indexBytes: number, sha256: string): string {
  return `motte seal ${String(indexBytes).padStart(10, '0')} ${sha256}\n`;
}

/** Undefined for what is no seal. */
export function parseSeal(text: string): { readonly indexBytes: number; readonly sha256: string } | undefined {
  const found = /^motte seal ([0-9]{10}) ([0-9a-f]{64})\n$/.exec(text);
  return found === null ? undefined : { indexBytes: Number(found[1]), sha256: found[2] as string };
}

export const SEAL_BYTES = sealText(0, '0'.repeat(64)).length;

function parseObject(line: string): Record<string, unknown> | undefined {
  try {
    const value: unknown = JSON.parse(line);
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : undefined;
  } catch {
    return undefined;
  }
}
