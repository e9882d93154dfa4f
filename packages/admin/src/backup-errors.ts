// The rows of the catalogue that backups have, 08xx; errors.ts holds the others and says what a row is.

import type { ErrorRow } from './errors.ts';

export const BACKUP_ERRORS = {
  'MOT-0801': {
    what: 'nothing to back up',
    when: 'The broker keeps its state in memory, or nothing was ever stored on this data directory.',
    remedy: 'set `store: { kind: level }`, which is the default, or name the right directory with --data',
    exit: 4,
    status: 409,
  },
  'MOT-0802': {
    what: 'a backup is being made',
    when: 'The broker gives out one backup at a time.',
    remedy: 'wait until the other one is done, and try again',
    exit: 1,
    status: 409,
  },
  'MOT-0803': {
    what: 'broken off',
    when: 'During a backup or restore the broker ended, a disk was full or could not be read, or somebody interrupted it. Nothing is left of it.',
    remedy: 'correct what the reason names, and try again',
    exit: 1,
  },
  'MOT-0804': {
    what: 'not a backup',
    when: 'The file does not begin as a backup of Motte does, or cannot be read.',
    remedy: 'name a file that `motte backup` wrote',
    exit: 4,
  },
  'MOT-0805': {
    what: 'backup of a newer Motte',
    when: 'The format of the file, or of the store in it, is newer than what this version reads. Nothing was changed.',
    remedy: 'restore it with the version of Motte that made it, or a newer one',
    exit: 4,
  },
  'MOT-0806': {
    what: 'damaged backup',
    when: 'The file was cut off, changed, or never finished. Nothing was changed.',
    remedy: 'use another copy of the file, or an older backup',
    exit: 4,
  },
  'MOT-0807': {
    what: 'the backup cannot be opened',
    when: 'The key or the passphrase is not the one it was encrypted for. Nothing was changed.',
    remedy: 'give the right one with --identity or --passphrase-file',
    exit: 4,
  },
  'MOT-0808': {
    what: 'the content of the backup was refused',
    when: 'What is in it does not fit together, or this version cannot read it. Nothing was changed.',
    remedy: 'use another backup; `motte restore FILE --verify` looks at one and changes nothing',
    exit: 4,
  },
  'MOT-0809': {
    what: 'will not restore over what is there',
    when: 'A backup is restored into a data directory that does not exist or is empty, and nowhere else.',
    remedy: 'name another directory with --data, or move away what is there',
    exit: 4,
  },
  'MOT-0810': {
    what: 'a restore goes back in time',
    when: 'Nothing was named that knows what was revoked after the backup was made. Nothing was changed.',
    remedy:
      'name the old data directory or a later `motte ca crl` with --revocations, or give --accept-lost-revocations and revoke again before the start',
    exit: 4,
  },
} as const satisfies Record<string, ErrorRow>;
