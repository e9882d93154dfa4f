// The data directory: made if missing, 0700, ours, not a link. What is in it belongs to the parts that put it there.

import { chmodSync, lstatSync, type Stats } from 'node:fs';
import { join } from 'node:path';
import { MotteError } from '@motte/admin/errors';
import { makeDirectories } from './make-directories.ts';
import { said } from './said.ts';

/** Makes the directory and what start-up needs below it; throws MOT-0201 or MOT-0202. */
export function prepareData(data: string): void {
  makeDirectory(data);
  for (const name of ['run', 'store']) makeDirectory(join(data, name));
}

/** For commands that work while no broker runs: a mistyped directory gets no CA. Throws MOT-0201 or MOT-0202. */
export function checkData(data: string): void {
  const facts = factsOf(data);
  if (facts !== undefined) checkOwn(data, facts);
  // Where the authority is apart there is no CA here, but a store there is.
  if (facts === undefined || ['pki', 'store'].every((name) => factsOf(join(data, name)) === undefined)) {
    throw new MotteError('MOT-0201', `no broker was ever started on ${data}`, {
      remedy: 'start it once with `motte start`, or name the right directory with --data',
    });
  }
  prepareData(data);
}

/** Where the durable store has its files. */
export function storePath(data: string): string {
  return join(data, 'store');
}

/** The registry's file. */
export function registryPath(data: string): string {
  return join(data, 'store', 'registry.json');
}

/** The issuers and revoked tokens that `motte token` records. */
export function tokensPath(data: string): string {
  return join(data, 'store', 'tokens.json');
}

/** The latest time that was known here. */
export function timePath(data: string): string {
  return join(data, 'store', 'time.json');
}

/** The file of the policies that were applied. */
export function policyPath(data: string): string {
  return join(data, 'store', 'policy.json');
}

function makeDirectory(path: string): void {
  try {
    if (factsOf(path) === undefined) makeDirectories(path);
  } catch (fault) {
    if (fault instanceof MotteError) throw fault;
    throw new MotteError('MOT-0201', `${path} cannot be made: ${said(fault)}`, { cause: fault });
  }
  const facts = factsOf(path);
  if (facts === undefined) throw new MotteError('MOT-0201', `${path} is gone again`);
  checkOwn(path, facts);
  // A directory that someone made by hand for motte.yaml is usually open to others.
  if ((facts.mode & 0o077) !== 0) chmodSync(path, 0o700);
}

function factsOf(path: string): Stats | undefined {
  try {
    return lstatSync(path);
  } catch (fault) {
    if ((fault as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
    throw new MotteError('MOT-0201', `${path}: ${said(fault)}`, { cause: fault });
  }
}

function checkOwn(path: string, facts: Stats): void {
  if (facts.isSymbolicLink())
    throw new MotteError('MOT-0201', `${path} is a symbolic link`, { remedy: 'name the real directory' });
  if (!facts.isDirectory()) throw new MotteError('MOT-0201', `${path} is not a directory`);
  const own = process.getuid?.();
  if (own !== undefined && facts.uid !== own) {
    throw new MotteError('MOT-0202', `${path} belongs to user ${facts.uid}, this is user ${own}`);
  }
}
