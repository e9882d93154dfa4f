// What a disk says no to, 0210: no mistake of whoever asked and no bug, wherever it is met. errors.ts says what a row is.

import type { ErrorRow } from './errors.ts';

export const DISK_ERRORS = {
  'MOT-0210': {
    what: 'nothing can be written',
    when: 'The file system is full or read-only, a quota is used up, or the disk fails. What was in force stays.',
    remedy: 'make room or mend the disk, then try again; `motte status` says whether the broker can store anything',
    exit: 4,
    status: 507,
  },
} as const satisfies Record<string, ErrorRow>;

/** The reason in words, without a path; undefined for any other fault. */
export function diskFault(fault: unknown): string | undefined {
  const { code } = (fault ?? {}) as { code?: unknown };
  return typeof code === 'string' ? SAID.get(code) : undefined;
}

const SAID: ReadonlyMap<string, string> = new Map([
  ['ENOSPC', 'no space is left on the file system'],
  ['EDQUOT', 'the quota of the file system is used up'],
  ['EROFS', 'the file system is read-only'],
  ['EIO', 'the disk reports an input or output error'],
]);
