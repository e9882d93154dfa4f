// The rows of the catalogue that imports have, 10xx; errors.ts holds the others and says what a row is.

import type { ErrorRow } from './errors.ts';

export const IMPORT_ERRORS = {
  'MOT-1001': {
    what: 'cannot import there',
    when: 'The data directory of an import holds something already, or is no directory. What is there is never mixed with what is imported.',
    remedy: 'name a directory that does not exist yet with --data; `--dry-run` needs none',
    exit: 4,
  },
  'MOT-1002': {
    what: 'cannot read what mosquitto has',
    when: 'One of its files cannot be opened, is no plain file, is larger than is read, is not text in UTF-8 or holds a NUL byte. Without all of them nothing can be said about who may do what.',
    remedy:
      'run the import where mosquitto runs, as a user that may read its files; relative paths count from mosquitto.conf',
    exit: 4,
  },
  'MOT-1003': {
    what: 'mistakes in what mosquitto has',
    when: 'A file has lines that mosquitto itself refuses or that leave open who may do what; each is printed as FILE:LINE.',
    remedy: 'correct the lines named above in a copy of the files and import that',
    exit: 4,
  },
  'MOT-1004': {
    what: 'more than Motte takes',
    when: 'There are more listeners, users, roles or rules than a configuration or a policy may hold.',
    remedy: 'leave out of a copy of the files what is not used any more, and import that',
    exit: 4,
  },
} as const satisfies Record<string, ErrorRow>;
