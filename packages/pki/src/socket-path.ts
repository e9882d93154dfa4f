// Unix socket addresses are short (sun_path in <sys/un.h>); a longer one would be cut off silently.

import { relative } from 'node:path';
import { AuthorityFault } from './protocol/faults.ts';

/** Bytes that fit with their final zero: 108 on Linux, 104 elsewhere. */
const PATH_BYTES_MAX = (process.platform === 'linux' ? 108 : 104) - 1;

/** The path as the kernel can take it, relative to the working directory where that is shorter; MOT-0429 if none fits. */
export function socketPath(path: string): string {
  if (Buffer.byteLength(path) <= PATH_BYTES_MAX) return path;
  const shorter = relative(process.cwd(), path);
  if (Buffer.byteLength(shorter) <= PATH_BYTES_MAX) return shorter;
  throw new AuthorityFault('MOT-0429', `${path} is longer than ${PATH_BYTES_MAX} bytes; use a shorter data directory`);
}
