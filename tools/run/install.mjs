// Brings node_modules to what package-lock.json says, and touches nothing when it is there already. Compared are versions,
// not times, so that a copied, restored or hand-installed tree counts for what it holds.
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ROOT, runNpm } from './programs.mjs';

/** What `npm start` needs: to build and to run. */
export const RUNTIME = 'runtime';
/** What tests, checks and benchmarks need on top. */
export const EVERYTHING = 'everything';

/** @returns {number} 0, or npm's exit code */
export function install(extent) {
  const wanted = readPackages('package-lock.json');
  const present = readPackages('node_modules/.package-lock.json');
  if (isMet(wanted, present, extent)) return 0;
  // A tree that has the tools for tests keeps them when only running is asked for.
  const whole = extent === EVERYTHING || hasDevelopment(wanted, present);
  console.log(`motte: installing what ${whole ? 'building and testing' : 'running'} needs`);
  // Not `npm ci`: that refuses a lock file in which an optional package of some other platform is missing. Without --save
  // `npm install` takes the locked versions just the same and leaves the lock file as it is.
  return runNpm([
    'install',
    '--no-save',
    whole ? '--include=dev' : '--omit=dev',
    '--no-audit',
    '--no-fund',
    '--loglevel=error',
  ]);
}

/** @returns {Record<string, {version?: string, link?: boolean, dev?: boolean, optional?: boolean}>} */
function readPackages(path) {
  const file = join(ROOT, path);
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).packages : {};
}

/** Whether a tree that has `present` can be used as it is; what is optional may be absent on this platform. */
export function isMet(wanted, present, extent) {
  return Object.entries(wanted).every(([path, entry]) => {
    if (!path.includes('node_modules/') || entry.optional || entry.devOptional) return true;
    if (entry.dev && extent === RUNTIME) return true;
    const found = present[path];
    return found !== undefined && found.version === entry.version && found.integrity === entry.integrity;
  });
}

function hasDevelopment(wanted, present) {
  return Object.keys(present).some((path) => wanted[path]?.dev);
}
