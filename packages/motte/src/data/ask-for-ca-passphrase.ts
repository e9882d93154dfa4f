// The passphrase of the CA keys from whoever sits at the terminal. It goes to the process that needs it and to no other: a child
// of `motte start` opens the terminal itself, so that the broker never sees what is typed.

import { closeSync, openSync, writeSync } from 'node:fs';
import { ReadStream } from 'node:tty';
import type { AskPassphrase } from '@motte/pki';
import { askPassphrase } from '../backup/ask-passphrase.ts';

/** Undefined where standard input is no terminal: then nobody is asked. */
export function askAtStandardInput(): AskPassphrase | undefined {
  if (process.stdin.isTTY !== true) return undefined;
  return (question) => askPassphrase({ input: process.stdin, output: process.stderr }, question);
}

/** For a process whose standard input is its parent's pipe. */
export const askAtTerminal: AskPassphrase = async (question) => {
  const input = new ReadStream(openSync('/dev/tty', 'r'));
  const output = openSync('/dev/tty', 'w');
  try {
    return await askPassphrase({ input, output: { write: (text) => writeSync(output, text) } }, question);
  } finally {
    input.destroy();
    closeSync(output);
  }
};
