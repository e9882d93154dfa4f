// The openssl program as a second opinion.

import { execFile } from 'node:child_process';
import { promisify } from 'node:util';

/** Runs openssl and returns what it printed on both outputs, whatever its exit code. */
export async function openssl(...argv: string[]): Promise<{ code: number; text: string }> {
  try {
    const { stdout, stderr } = await promisify(execFile)('openssl', argv);
    return { code: 0, text: stdout + stderr };
  } catch (fault) {
    const { code, stdout = '', stderr = '' } = fault as { code?: unknown; stdout?: string; stderr?: string };
    if (typeof code !== 'number') throw fault;
    return { code, text: stdout + stderr };
  }
}
