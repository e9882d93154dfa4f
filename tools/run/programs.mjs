// Where the clone is, and how its programs are run: output passed through, exit code answered, nothing found by name that
// an installed dependency brings along.
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

export const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..', '..');

/** Runs a program in the clone with its output passed through. @returns {number} its exit code, 1 if it could not be run */
export function runProgram(program, parameters, { environment = {}, stdio = 'inherit' } = {}) {
  const options = { cwd: ROOT, stdio, env: { ...process.env, ...environment } };
  const { status, error } = spawnSync(program, parameters, options);
  if (error) console.error(`motte: ${program} could not be run: ${error.message}`);
  return status ?? 1;
}

/** Runs a script with the Node that runs this one. @returns {number} its exit code */
export function runNode(parameters) {
  return runProgram(process.execPath, parameters);
}

/** Runs what an installed package has under `bin`. @returns {number} its exit code */
export function runPackage(name, parameters, { bin = name } = {}) {
  const folder = join(ROOT, 'node_modules', name);
  const { bin: bins } = JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8'));
  return runNode([join(folder, bins[bin]), ...parameters]);
}

/** Runs the npm that runs us, or else the one on the path. @returns {number} its exit code */
export function runNpm(parameters) {
  const ours = process.env.npm_execpath;
  if (ours?.endsWith('.js') && existsSync(ours)) return runNode([ours, ...parameters]);
  return runProgram('npm', parameters);
}
