// Standard output of a broker that logs: the lines of one turn leave in one write, so that a storm of reconnecting devices
// costs one system call a turn and not one a device. Where nobody takes them they are lost and counted: peers make lines,
// and must not fill our memory with them.

import type { Writable } from 'node:stream';

/** Takes lines without their ends; call `flush` before the process ends. */
export interface LineWriter {
  write(line: string): void;
  flush(): void;
}

/** `reportLost` hears how many lines were lost once there is room again, and may write. */
export function createLineWriter(stream: Writable, reportLost: (lines: number) => void): LineWriter {
  let waiting = '';
  let lost = 0;
  const flush = (): void => {
    if (waiting === '') return;
    const text = waiting;
    waiting = '';
    stream.write(text);
  };
  return {
    write(line) {
      if (stream.writableLength + waiting.length > UNTAKEN_MAX) {
        lost += 1;
        return;
      }
      if (lost > 0) {
        const lines = lost;
        lost = 0;
        reportLost(lines);
      }
      if (waiting === '') setImmediate(flush);
      waiting += `${line}\n`;
    },
    flush,
  };
}

/** Bytes of lines that wait for whoever reads the log. */
const UNTAKEN_MAX = 4 * 1024 * 1024;
