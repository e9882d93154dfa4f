// A command that signs, so that an HSM can hold the key: an argument list and no shell, bytes on standard input, the signature
// on standard output, a deadline.

import { spawn } from 'node:child_process';
import { createHash, type KeyObject } from 'node:crypto';
import { SIGNATURE_BYTES_MAX } from '../limits.ts';
import { AuthorityFault } from '../protocol/faults.ts';
import type { Issuer } from './signature.ts';

export interface SignerSettings {
  /** The program by its whole path and its arguments; `{key}` in one stands for the label of the key. */
  readonly command: readonly string[];
  /** What it gets: all that is to be signed, or its SHA-256. */
  readonly input: 'message' | 'sha256';
  readonly deadlineMs: number;
  readonly keys: {
    readonly root?: { readonly label: string; readonly publicKey: () => Promise<KeyObject> };
    readonly issuing: { readonly label: string; readonly publicKey: () => Promise<KeyObject> };
  };
}

/** Signs by the command; its function rejects with MOT-0477. */
export function runSigner({ command, input, deadlineMs }: SignerSettings, label: string): Issuer['sign'] {
  const [program = '', ...args] = command.map((part) => part.replaceAll('{key}', label));
  return (bytes) =>
    new Promise((resolve, reject) => {
      const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] });
      const fail = (why: string): void => {
        child.kill('SIGKILL');
        clearTimeout(deadline);
        reject(new AuthorityFault('MOT-0477', `${program} ${why}`));
      };
      const deadline = setTimeout(() => fail(`gave no signature within ${deadlineMs} ms`), deadlineMs);
      const answer: Buffer[] = [];
      let length = 0;
      let said = '';
      child.once('error', (fault: NodeJS.ErrnoException) => fail(`cannot be run (${fault.code ?? fault.message})`));
      child.stdout.on('data', (chunk: Buffer) => {
        length += chunk.length;
        if (length > SIGNATURE_BYTES_MAX) fail(`answered more than ${SIGNATURE_BYTES_MAX} bytes`);
        else answer.push(chunk);
      });
      child.stderr.setEncoding('utf8').on('data', (text: string) => {
        if (said.length < SAID_MAX) said += text;
      });
      child.once('close', (code, signal) => {
        if (code !== 0) return fail(`ended with ${signal ?? code}: ${oneLine(said)}`);
        clearTimeout(deadline);
        resolve(Buffer.concat(answer));
      });
      // One that ends without reading says why by its exit code.
      child.stdin.on('error', () => undefined);
      child.stdin.end(input === 'sha256' ? createHash('sha256').update(bytes).digest() : bytes);
    });
}

function oneLine(text: string): string {
  return text
    .replace(/[^ -~]+/g, ' ')
    .trim()
    .slice(0, SAID_MAX);
}

const SAID_MAX = 200;
