// Standard output of a broker that logs: the lines of one turn leave in one write, so that a storm of reconnecting devices
// costs one system call a turn and not one a device.

import type { Writable } from 'node:stream';

/** Takes lines without their ends; call `flush` before the process ends. */
export interface LineWriter {
  write(line: string): void;
  flush(): void;
}

export function createLineWriter(stream: Writable): LineWriter {
  let waiting = '';
  const flush = (): void => {
    if (waiting === '') return;
    const text = waiting;
    waiting = '';
    stream.write(text);
  };
  return {
    write(line) {
      if (waiting === '') setImmediate(flush);
      waiting += `${line}\n`;
    },
    flush,
  };
}
