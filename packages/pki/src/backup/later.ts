// What became of certificates after a backup was made: read from the data directory that the backup is of, from its list of
// revocations, or from a revocation list of the CA (RFC 5280, 5). Read before a restore begins, and looked at when the backup is.

import { readFile, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { type IssuedRecord, parseRecord } from '../issue/ledger.ts';
import { RecordLines } from '../issue/record-lines.ts';
import { errno } from '../private-files.ts';
import { AuthorityFault } from '../protocol/faults.ts';
import { parseRevoked, type RevokedRecord } from '../revoke/revocations.ts';
import { LEDGER_NAME, REVOKED_NAME } from './authority-part.ts';

/** Of one source. */
export interface Later {
  readonly path: string;
  readonly issued: readonly IssuedRecord[];
  readonly revoked: readonly RevokedRecord[];
  /** Revocation lists in PEM: who signed them is looked at against the CA in the backup. */
  readonly crls: readonly string[];
}

/** `path` is a data directory, its `pki/revoked.jsonl`, or lists in PEM. Throws MOT-0441, MOT-0425 and MOT-0466. */
export async function readLater(path: string): Promise<Later> {
  if (await isDirectory(path)) {
    const lists = join(path, 'pki');
    return {
      path,
      issued: recordsOf(await textOf(join(lists, LEDGER_NAME)), join(lists, LEDGER_NAME), parseRecord),
      revoked: recordsOf(await textOf(join(lists, REVOKED_NAME)), join(lists, REVOKED_NAME), parseRevoked),
      crls: [],
    };
  }
  const text = await textOf(path);
  const crls = text.match(CRL) ?? [];
  if (crls.length > 0) return { path, issued: [], revoked: [], crls };
  return { path, issued: [], revoked: recordsOf(text, path, parseRevoked), crls: [] };
}

function recordsOf<T>(text: string, path: string, parse: (line: string, where: string) => T): T[] {
  // Without its last line end it is a record that nobody heard of.
  return new RecordLines(path, parse).push(Buffer.from(text));
}

async function isDirectory(path: string): Promise<boolean> {
  return stat(path).then(
    (facts) => facts.isDirectory(),
    (fault: unknown) => Promise.reject(unreadable(path, fault)),
  );
}

/** It may be anybody's: lists of a CA are made to be handed round. */
async function textOf(path: string): Promise<string> {
  try {
    const { size } = await stat(path);
    if (size > LIST_BYTES_MAX) throw refuseLater(`${path} is larger than ${LIST_BYTES_MAX} bytes`);
    return await readFile(path, 'utf8');
  } catch (fault) {
    throw fault instanceof AuthorityFault ? fault : unreadable(path, fault);
  }
}

function unreadable(path: string, fault: unknown): AuthorityFault {
  return refuseLater(`${path} cannot be read (${errno(fault) ?? String(fault)})`);
}

/** MOT-0441. */
export function refuseLater(why: string): AuthorityFault {
  return new AuthorityFault('MOT-0441', why);
}

const CRL = /-----BEGIN X509 CRL-----[^-]+-----END X509 CRL-----/g;
/** A million revocations. */
const LIST_BYTES_MAX = 512 * 1024 * 1024;
