// Reads the broker's part of a backup and looks at all of it on the way: while it is made, while it is verified, and while
// it is restored. What differs is only who takes the bytes and the pieces.

import { type BackupEnd, BackupFault, type BackupManifest, type BackupPiece, BackupReader } from '@motte/admin/backup';
import { MotteError } from '@motte/admin/errors';
import { PolicyHistoryFault, parsePolicyHistory } from '@motte/broker/policy-history';
import { parseRegistry, RegistryFault } from '@motte/broker/registry';
import { checkRecord, FormatFault, recordKind, STORE_FORMAT } from '@motte/broker/store-files';
import { ConfigRefused, parseText } from '../config/config.ts';
import { policyInForce } from '../policy/policies.ts';
import { parseTokenBook } from '../tokens/token-book.ts';
import { CONFIG_FILE, POLICY_FILE, REGISTRY_FILE, TOKENS_FILE } from './source.ts';

/** What was found in it. */
export interface BrokerFacts {
  manifest: BackupManifest | undefined;
  end: BackupEnd | undefined;
  files: string[];
  identities: number;
  sessions: number;
  queued: number;
  retained: number;
  /** Records so far, and bytes of them. */
  records: number;
  bytes: number;
  /** Records that are not what the store once wrote: they were damaged before the backup was made. */
  damaged: number;
  /** What an operator should know of it, one line each. */
  findings: string[];
}

export function noFacts(): BrokerFacts {
  return {
    manifest: undefined,
    end: undefined,
    files: [],
    identities: 0,
    sessions: 0,
    queued: 0,
    retained: 0,
    records: 0,
    bytes: 0,
    damaged: 0,
    findings: [],
  };
}

/** Takes a piece that was looked at. */
type Take = (piece: BackupPiece) => Promise<void> | void;

/** The pieces of a stream, each looked at; throws BackupFault, MOT-0805 and MOT-0808. */
export async function* inspectPart(
  chunks: AsyncIterable<Uint8Array>,
  facts: BrokerFacts,
  take: Take,
): AsyncGenerator<Uint8Array> {
  const reader = new BackupReader();
  for await (const chunk of chunks) {
    for (const piece of reader.push(chunk)) {
      lookAt(piece, facts);
      await take(piece);
    }
    yield chunk;
  }
  reader.finish();
  if (facts.damaged > 0) {
    facts.findings.push(
      `${facts.damaged} records were damaged in the store already: a start sets them apart, and says so`,
    );
  }
}

function lookAt(piece: BackupPiece, facts: BrokerFacts): void {
  switch (piece.kind) {
    case 'manifest':
      if (piece.manifest.store > STORE_FORMAT) throw newerStore(piece.manifest.store);
      facts.manifest = piece.manifest;
      break;
    case 'file':
      lookAtFile(piece.name, piece.content, facts);
      break;
    case 'records':
      for (const record of piece.records) lookAtRecord(record, facts);
      break;
    case 'end':
      facts.end = piece.end;
      break;
    default:
      piece satisfies never;
  }
}

function lookAtFile(name: string, content: Buffer, facts: BrokerFacts): void {
  facts.files.push(name);
  if (name === REGISTRY_FILE) {
    try {
      facts.identities = parseRegistry(content.toString(), REGISTRY_FILE).size;
    } catch (fault) {
      if (!(fault instanceof RegistryFault)) throw fault;
      throw new MotteError('MOT-0808', fault.message, { cause: fault });
    }
  } else if (name === TOKENS_FILE) {
    try {
      parseTokenBook(content.toString(), TOKENS_FILE);
    } catch (fault) {
      if (!(fault instanceof MotteError)) throw fault;
      throw new MotteError('MOT-0808', fault.why, { cause: fault });
    }
  } else if (name === POLICY_FILE) {
    try {
      policyInForce({ policies: parsePolicyHistory(content.toString(), POLICY_FILE) });
    } catch (fault) {
      if (!(fault instanceof PolicyHistoryFault) && !(fault instanceof MotteError)) throw fault;
      throw new MotteError('MOT-0808', fault.message, { cause: fault });
    }
  } else if (name === CONFIG_FILE) {
    try {
      parseText(content.toString(), CONFIG_FILE);
    } catch (fault) {
      if (!(fault instanceof ConfigRefused)) throw fault;
      // It can be corrected after a restore; a start says the same.
      facts.findings.push(...fault.lines);
    }
  } else throw new MotteError('MOT-0808', `a file ${JSON.stringify(name.slice(0, 80))} does not belong into it`);
}

function lookAtRecord(record: readonly [Uint8Array, Uint8Array], facts: BrokerFacts): void {
  facts.records += 1;
  facts.bytes += record[0].length + record[1].length;
  const kind = recordKind(record);
  if (kind === 'session') facts.sessions += 1;
  else if (kind === 'queued') facts.queued += 1;
  else if (kind === 'retained') facts.retained += 1;
  try {
    if (checkRecord(record) !== undefined) facts.damaged += 1;
  } catch (fault) {
    if (!(fault instanceof FormatFault)) throw fault;
    throw new MotteError('MOT-0808', `its store: ${fault.message}`, { cause: fault });
  }
}

/** A store in a backup that this version is too old for. */
export function newerStore(format: number): MotteError {
  return new MotteError('MOT-0805', `the store in it has format ${format}, this version reads ${STORE_FORMAT}`);
}

/** A BackupFault under its number; anything else as it is. `otherwise` is for a stream that is not whole. */
export function codedFault(fault: unknown, otherwise: 'MOT-0803' | 'MOT-0806'): unknown {
  if (!(fault instanceof BackupFault)) return fault;
  return new MotteError(fault.newer ? 'MOT-0805' : otherwise, fault.message, { cause: fault });
}
