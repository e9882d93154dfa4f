// Runs the broker in the foreground: its output, its signals and its exit code are this process's own.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { ROOT } from './programs.mjs';

const FORWARDED = ['SIGINT', 'SIGTERM', 'SIGHUP'];

/** @param {string[]} parameters of `motte start`. @returns {Promise<number>} its exit code, 128 + number for a signal */
export function start(parameters) {
  const child = spawn(process.execPath, ['packages/motte/bin/motte.js', 'start', ...parameters], {
    cwd: ROOT,
    stdio: 'inherit',
    // libuv reads this when Node starts its first thread, which is before the program's first line.
    env: { UV_THREADPOOL_SIZE: '8', ...process.env },
  });
  for (const signal of FORWARDED) {
    process.on(signal, () => {
      // A terminal tells the whole foreground group at once; passing it on would say it twice.
      if (signal !== 'SIGINT' || !process.stdin.isTTY) child.kill(signal);
    });
  }
  return new Promise((resolve) => {
    child.on('error', (fault) => {
      console.error(`motte: the program could not be run: ${fault.message}`);
      resolve(1);
    });
    child.on('exit', (code, signal) => resolve(code ?? 128 + constants.signals[signal]));
  });
}
