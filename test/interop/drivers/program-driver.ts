// A driver that is a program of its own: commands on its standard input, what happens on its standard output.

import { spawn } from 'node:child_process';
import { createInterface } from 'node:readline';
import type { Driver } from '../counterparts.ts';
import { decodeLine, encodeLine, type Words } from '../line-coding.ts';

export function startProgramDriver(
  program: string,
  args: readonly string[],
  onWords: (words: Words) => void,
): Promise<Driver> {
  const child = spawn(program, args, { stdio: ['pipe', 'pipe', 'pipe'] });
  let complaints = '';
  child.stderr.on('data', (chunk: Buffer) => {
    complaints += chunk.toString();
  });
  // A driver that was killed takes no more commands.
  child.stdin.on('error', () => undefined);
  createInterface({ input: child.stdout }).on('line', (line) => onWords(decodeLine(line)));
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('spawn', () => {
      resolve({
        send: (words) => void child.stdin.write(encodeLine(words)),
        kill: () => void child.kill('SIGKILL'),
        complaints: () => complaints,
      });
    });
  });
}
