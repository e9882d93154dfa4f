// Makes a backup: both parts, one after the other, into a file that is open already. The broker's part comes first, so that
// the authority's, which is only ever added to, knows every device that the registry knows.

import { randomBytes } from 'node:crypto';
import { MotteError } from '@motte/admin/errors';
import { type BackupTo, encryptFor } from '@motte/pki';
import type { Context } from '../context.ts';
import { askAuthority } from '../data/ask-authority.ts';
import { type BrokerFacts, codedFault, inspectPart, noFacts } from './broker-part.ts';
import { type BackupHead, PART_NAMES, type PartPlace } from './container.ts';
import { estimateBytes, withBrokerPart } from './source.ts';
import type { BackupFile } from './write-file.ts';

export interface MadeBackup {
  readonly head: BackupHead;
  readonly bytes: number;
  readonly parts: readonly PartPlace[];
  readonly facts: BrokerFacts;
  readonly where: 'running' | 'offline';
}

/** Told now and then how far it is; what it throws ends the work. `of` is a guess, 0 = none. */
export type OnProgress = (step: string, bytes: number, of: number, records?: number) => void;

/** Throws MOT-0801 to MOT-0803, and what the broker and the authority say. */
export async function makeBackup(
  context: Context,
  file: BackupFile,
  to: BackupTo,
  onProgress: OnProgress,
): Promise<MadeBackup> {
  const id = randomBytes(16).toString('hex');
  const facts = noFacts();
  try {
    return await withBrokerPart(context, id, async (part, where) => {
      const plain = await beginning(
        inspectPart(part, facts, () => undefined),
        facts,
      );
      const { format: _, ...manifest } = plain.manifest;
      if (manifest.id !== id) throw new MotteError('MOT-0503', 'the answer belongs to another backup');
      const kind = to.recipients.length > 0 ? 'recipients' : 'passphrase';
      const head: BackupHead = { ...manifest, to: kind, parts: PART_NAMES };
      await file.head(head);
      const guess = estimateBytes(context.data);
      await file.part('broker', await encryptFor(to, plain.chunks), (bytes) => {
        onProgress('store', bytes, Math.max(guess, bytes + 1), facts.records);
      });
      await askAuthority(context, (ca) =>
        file.part('authority', ca.backup(id, to), (bytes) => onProgress('authority', bytes, 0)),
      );
      return { head, ...(await file.finish()), facts, where };
    });
  } catch (fault) {
    throw codedFault(fault, 'MOT-0803');
  }
}

/** Reads as far as the manifest; the chunks that come then are all of them. */
async function beginning(chunks: AsyncGenerator<Uint8Array>, facts: BrokerFacts) {
  const read: Uint8Array[] = [];
  while (facts.manifest === undefined) {
    const { done, value } = await chunks.next();
    if (done === true) throw new MotteError('MOT-0503', 'the answer is no backup');
    read.push(value);
  }
  async function* all(): AsyncGenerator<Uint8Array> {
    yield* read;
    yield* chunks;
  }
  return { manifest: facts.manifest, chunks: all() };
}
