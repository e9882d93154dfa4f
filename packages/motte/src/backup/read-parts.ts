// Reads both parts of a backup whose file is known to be whole: decrypted, looked at, and given to whoever takes the pieces.
// That the two belong together, and to the head that everybody can read, is looked at too.

import type { BackupManifest, BackupPiece } from '@motte/admin/backup';
import { MotteError } from '@motte/admin/errors';
import { STORE_FORMAT } from '@motte/broker/store-files';
import {
  AuthorityFault,
  type BackupKeys,
  checkAuthorityPart,
  decryptWith,
  type Later,
  type PartFacts,
  type RestoredFacts,
  restoreAuthorityPart,
} from '@motte/pki';
import { type BrokerFacts, codedFault, inspectPart, newerStore, noFacts } from './broker-part.ts';
import type { OnProgress } from './make.ts';
import type { OpenBackup } from './read-file.ts';

export interface BackupContent {
  readonly broker: BrokerFacts;
  readonly authority: PartFacts;
  /** What a restore merged into it. */
  readonly merged: Pick<RestoredFacts, 'merged' | 'gone'>;
}

/** Where the pieces go; undefined = nowhere, they are only looked at. */
export interface Taker {
  take(piece: BackupPiece): Promise<void>;
  readonly pki: string;
  /** What is known of the time after the backup. */
  readonly later: readonly Later[];
}

/** Throws MOT-0805 to MOT-0808, and what the taker throws. */
export async function readParts(
  backup: OpenBackup,
  keys: BackupKeys,
  taker: Taker | undefined,
  onProgress: OnProgress,
): Promise<BackupContent> {
  const { head } = backup;
  if (head.store > STORE_FORMAT) throw newerStore(head.store);
  try {
    const broker = noFacts();
    const plain = await decryptWith(keys, backup.read('broker'));
    const of = backup.parts[0]?.bytes ?? 0;
    let bytes = 0;
    for await (const chunk of inspectPart(plain, broker, (piece) => taker?.take(piece))) {
      bytes += chunk.length;
      onProgress('store', bytes, of, broker.records);
    }
    checkSame(head, broker.manifest);
    const sealed = await decryptWith(keys, backup.read('authority'));
    const when = { madeMs: Date.parse(head.made), nowMs: Date.now() };
    const restored =
      taker === undefined
        ? undefined
        : await restoreAuthorityPart(sealed, head.id, taker.pki, { sources: taker.later, ...when });
    const authority = restored ?? (await checkAuthorityPart(sealed, head.id));
    if (authority.fingerprint !== head.ca)
      throw new MotteError('MOT-0808', 'the CA in it is not the one that its head names');
    return { broker, authority, merged: { merged: restored?.merged ?? 0, gone: restored?.gone ?? [] } };
  } catch (fault) {
    throw refusedAs(codedFault(fault, 'MOT-0806'));
  }
}

/** The head of the file is not encrypted: anybody could have written it. */
function checkSame(head: Omit<BackupManifest, 'format'>, manifest: BackupManifest | undefined): void {
  for (const name of ['id', 'motte', 'made', 'ca', 'store'] as const) {
    if (manifest?.[name] !== head[name]) {
      throw new MotteError(
        'MOT-0808',
        `its head says ${name} ${head[name]}, the encrypted part ${String(manifest?.[name])}`,
      );
    }
  }
}

/** What the authority says of its part, under the numbers of backups. */
function refusedAs(fault: unknown): unknown {
  if (!(fault instanceof AuthorityFault)) return fault;
  if (fault.code === 'MOT-0440') return new MotteError('MOT-0807', fault.why, { cause: fault });
  const isContent = ['MOT-0424', 'MOT-0425', 'MOT-0426', 'MOT-0438'].includes(fault.code);
  return isContent ? new MotteError('MOT-0808', `the authority's part: ${fault.why}`, { cause: fault }) : fault;
}
