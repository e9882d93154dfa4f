// A policy from a file that a person names: its text, and the name by which every place in it goes.

import { closeSync, openSync, readSync } from 'node:fs';
import { MotteError } from '@motte/admin/errors';
import { POLICY_LIMITS } from '@motte/broker/policy';
import type { PolicySource } from '@motte/broker/ports/policies';
import { said } from '../data/said.ts';

/** `-` is standard input. Throws MOT-0901. */
export function readPolicySource(file: string): PolicySource {
  const bytes = readBounded(file);
  if (bytes.length > POLICY_LIMITS.bytesMax) throw new MotteError('MOT-0901', `${file} is larger than 1 MiB`);
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes), file: nameOf(file) };
  } catch (fault) {
    throw new MotteError('MOT-0901', `${file} is not UTF-8 text`, { cause: fault });
  }
}

/** At most one byte more than a policy may have, whatever is behind the name. */
function readBounded(file: string): Uint8Array {
  const bytes = Buffer.alloc(POLICY_LIMITS.bytesMax + 1);
  let length = 0;
  try {
    const fd = file === '-' ? 0 : openSync(file, 'r');
    try {
      for (let read = 1; read > 0 && length < bytes.length; length += read) {
        read = readSync(fd, bytes, length, bytes.length - length, null);
      }
    } finally {
      if (fd !== 0) closeSync(fd);
    }
  } catch (fault) {
    throw new MotteError('MOT-0901', `${file}: ${said(fault)}`, { cause: fault });
  }
  return bytes.subarray(0, length);
}

/** One printable line of bounded length, the end of the path where it is too long. */
function nameOf(file: string): string {
  const name = file === '-' ? 'stdin' : file.replace(/\p{Cc}/gu, '?');
  return name.length > NAME_MAX ? `…${name.slice(1 - NAME_MAX)}` : name;
}

const NAME_MAX = 200;
