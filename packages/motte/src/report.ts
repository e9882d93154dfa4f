// Errors as people see them: one line, `motte: WHAT: WHY (MOT-nnnn)`, and a second with what to do.

import { diskFault } from '@motte/admin/errors';
import { printable } from '@motte/broker/printable';
import { CATALOGUE } from './catalogue.ts';

/** Writes the error to standard error and answers its exit code. */
export function report(fault: unknown, debug: boolean): number {
  const { code, why, remedy } = codedOf(fault);
  const row = CATALOGUE.get(code);
  for (const line of detailsOf(fault)) write(line);
  write(`motte: ${row?.what ?? 'unexpected fault'}: ${why} (${code})`);
  write(`  ${remedy ?? row?.remedy ?? ''}`);
  if (debug && fault instanceof Error) process.stderr.write(`${fault.stack}\n`);
  return row?.exit ?? 1;
}

/** Number, reason and advice of any error, whichever part threw it; one without a number is MOT-0004. */
export function codedOf(fault: unknown): { code: string; why: string; remedy: string | undefined } {
  const { code, why, remedy } = (fault ?? {}) as { code?: unknown; why?: unknown; remedy?: unknown };
  if (typeof code === 'string' && typeof why === 'string' && CATALOGUE.has(code)) {
    return { code, why, remedy: typeof remedy === 'string' ? remedy : undefined };
  }
  const disk = diskFault(fault);
  if (disk !== undefined) return { code: 'MOT-0210', why: disk, remedy: undefined };
  return { code: 'MOT-0004', why: fault instanceof Error ? fault.message : String(fault), remedy: undefined };
}

/** Several mistakes of one file stand before the line that sums them up. */
function detailsOf(fault: unknown): readonly string[] {
  const { lines } = (fault ?? {}) as { lines?: unknown };
  return Array.isArray(lines) && lines.length > 1 ? lines : [];
}

function write(line: string): void {
  process.stderr.write(`${printable(line, 8192)}\n`);
}
