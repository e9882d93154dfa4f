// Where a new password comes from: a file, or a terminal on which somebody types it twice. Never an argument: those are
// seen by everyone on the machine and stay in the shell's history.

import { closeSync, fstatSync, openSync, readSync } from 'node:fs';
import { MotteError } from '@motte/admin/errors';
import { askPassphrase, type Terminal } from '../backup/ask-passphrase.ts';
import { type Options, textOption } from '../command.ts';
import type { Context } from '../context.ts';
import { said } from '../data/said.ts';

/** Throws MOT-0002 where nobody can be asked, MOT-0623 for two that differ, MOT-0624 for a file that is none. */
export async function readPassword(context: Context, name: string, options: Options): Promise<string> {
  const file = textOption(options, 'passwordFile');
  if (file !== undefined) return readFile(context, file);
  const terminal: Terminal = { input: process.stdin, output: process.stderr };
  if (terminal.input.isTTY !== true) {
    throw new MotteError('MOT-0002', 'there is no terminal to ask for the password on', {
      remedy: 'give it in a file with --password-file',
    });
  }
  const password = await askPassphrase(terminal, `new password of ${name}: `);
  if ((await askPassphrase(terminal, 'the same again: ')) !== password) {
    throw new MotteError('MOT-0623', 'the two that were typed differ', { remedy: 'try again' });
  }
  return password;
}

function readFile(context: Context, path: string): string {
  let text: string;
  try {
    const file = openSync(path, 'r');
    try {
      if ((fstatSync(file).mode & 0o077) !== 0 && fstatSync(file).isFile()) {
        context.warn(`${path} can be read by others: chmod 600, or delete it afterwards`);
      }
      text = new TextDecoder('utf-8', { fatal: true }).decode(readUpTo(file));
    } finally {
      closeSync(file);
    }
  } catch (fault) {
    if (fault instanceof MotteError) throw fault;
    const why = fault instanceof TypeError ? 'it is not text in UTF-8' : said(fault);
    throw new MotteError('MOT-0624', `${path}: ${why}`, { cause: fault });
  }
  // Editors end the last line; a password cannot end in a line end anyway.
  return text.replace(/\r?\n$/, '');
}

/** A pipe has no size: it is read until it ends or is too much. */
function readUpTo(file: number): Uint8Array {
  const bytes = new Uint8Array(FILE_BYTES_MAX + 1);
  let length = 0;
  for (;;) {
    const read = readSync(file, bytes, length, bytes.length - length, null);
    length += read;
    if (length > FILE_BYTES_MAX) throw new MotteError('MOT-0624', `it has more than ${FILE_BYTES_MAX} bytes`);
    if (read === 0) return bytes.subarray(0, length);
  }
}

const FILE_BYTES_MAX = 4096;
