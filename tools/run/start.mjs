// Runs the broker in the foreground: its output, its signals and its exit code are this process's own.
import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import { ROOT } from './programs.mjs';

/** The same signal within this time is the same word. */
const REPEATED_MS = 1_000;
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
    let lastMs = -Infinity;
    process.on(signal, () => {
      // A terminal tells the whole foreground group at once, and npm passes on what it gets: neither means it twice, and
      // the second time ends the broker where it stands.
      if (signal === 'SIGINT' && process.stdin.isTTY) return;
      if (performance.now() - lastMs > REPEATED_MS) child.kill(signal);
      lastMs = performance.now();
    });
  }
  endWithNpm(child);
  return new Promise((resolve) => {
    child.on('error', (fault) => {
      console.error(`motte: the program could not be run: ${fault.message}`);
      resolve(1);
    });
    child.on('exit', (code, signal) => resolve(code ?? 128 + constants.signals[signal]));
  });
}

/** Under `npm start` the broker does not outlive npm, however that goes: nobody would know where to stop it. */
function endWithNpm(child) {
  if (process.env.npm_lifecycle_event === undefined) return;
  const npm = process.ppid;
  const watch = setInterval(() => {
    if (process.ppid === npm) return;
    clearInterval(watch);
    child.kill('SIGTERM');
  }, REPEATED_MS);
  watch.unref();
}
