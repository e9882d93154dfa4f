// What a backup says of itself before anything else: once readable for everybody in the head of the file, and once more
// inside the encrypted part, where nobody can change it.

export interface BackupManifest {
  /** Of the stream that follows. */
  readonly format: 1;
  /** 32 hex digits that all parts of one backup share. */
  readonly id: string;
  /** Version of the Motte that made it. */
  readonly motte: string;
  /** RFC 3339, UTC. */
  readonly made: string;
  /** SHA-256 of the root certificate, lower-case hex. */
  readonly ca: string;
  /** Format of the store's records. */
  readonly store: number;
}

/** A stream or file that is not a whole backup; `newer` = a later Motte wrote it. */
export class BackupFault extends Error {
  override readonly name = 'BackupFault';
  readonly newer: boolean;

  constructor(why: string, { newer = false }: { readonly newer?: boolean } = {}) {
    super(why);
    this.newer = newer;
  }
}

/** Checks the shape of a parsed manifest; throws BackupFault. */
export function checkManifest(value: unknown): BackupManifest {
  const { format, id, motte, made, ca, store } = (value ?? {}) as Record<keyof BackupManifest, unknown>;
  if (typeof format === 'number' && format > STREAM_FORMAT) {
    throw new BackupFault(`its records have format ${format}, this version reads ${STREAM_FORMAT}`, { newer: true });
  }
  const fits =
    format === STREAM_FORMAT &&
    typeof id === 'string' &&
    BACKUP_ID.test(id) &&
    typeof motte === 'string' &&
    typeof made === 'string' &&
    typeof ca === 'string' &&
    /^[0-9a-f]{64}$/.test(ca) &&
    Number.isSafeInteger(store);
  if (!fits) throw new BackupFault('it does not say what it is a backup of');
  return { format, id, motte, made, ca, store: store as number };
}

/** Raised when frames change their meaning. */
export const STREAM_FORMAT = 1;
export const BACKUP_ID = /^[0-9a-f]{32}$/;
