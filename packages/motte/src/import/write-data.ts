// A data directory of what was imported: built beside its place as DIR.importing, and only under its name when all of it is
// there and on the disk. Never over anything.

import { existsSync, lstatSync, readdirSync } from 'node:fs';
import { mkdir, open, rename, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { MotteError } from '@motte/admin/errors';
import { openPolicyHistory } from '@motte/broker/policy-history';
import { renderRegistry } from '@motte/broker/registry';
import { policyPath, registryPath, storePath } from '../data/layout.ts';
import { makeDirectories } from '../data/make-directories.ts';
import { said } from '../data/said.ts';
import type { ImportPlan } from './plan.ts';

/** Throws MOT-1001 unless the directory does not exist or is empty. */
export function checkTarget(data: string): void {
  const facts = lstatSync(data, { throwIfNoEntry: false });
  if (facts === undefined) return;
  if (!facts.isDirectory()) throw new MotteError('MOT-1001', `${data} is not a directory`);
  const names = readdirSync(data);
  if (names.length === 0) return;
  const isMotte = names.some((name) => name === 'motte.yaml' || name === 'store' || name === 'pki');
  throw new MotteError('MOT-1001', isMotte ? `${data} holds a Motte already` : `${data} is not empty`);
}

/** Throws MOT-1001, or MOT-0201 if nothing can be made there. */
export async function writeImport(data: string, plan: ImportPlan): Promise<void> {
  checkTarget(data);
  const draft = `${data}.importing`;
  if (existsSync(draft)) {
    throw new MotteError('MOT-1001', `${draft} is there`, {
      remedy: 'another import is at work, or one was killed: then remove it',
    });
  }
  let isDone = false;
  try {
    makeDirectories(dirname(draft));
    await mkdir(draft, { mode: 0o700 });
    await mkdir(storePath(draft), { mode: 0o700 });
    await writeFile(join(draft, 'motte.yaml'), plan.config);
    await writeFile(join(draft, POLICY_FILE), plan.policy);
    await writeFile(registryPath(draft), renderRegistry(plan.identities));
    await openPolicyHistory(policyPath(draft)).append({
      appliedAtMs: plan.nowMs,
      by: 'motte import',
      why: `from ${plan.source}`.slice(0, WHY_MAX),
      file: POLICY_FILE,
      text: plan.policy,
    });
    for (const directory of [storePath(draft), draft]) await syncDirectory(directory);
    // Takes the place of an empty directory, and of no other.
    await rename(draft, data);
    isDone = true;
    await syncDirectory(dirname(data));
  } catch (fault) {
    if ((fault as NodeJS.ErrnoException).code === 'ENOTEMPTY') throw new MotteError('MOT-1001', `${data} is not empty`);
    if (fault instanceof MotteError) throw fault;
    throw new MotteError('MOT-0201', `${draft}: ${said(fault)}`, { cause: fault });
  } finally {
    if (!isDone) await rm(draft, { recursive: true, force: true });
  }
}

async function writeFile(path: string, content: string): Promise<void> {
  const file = await open(path, 'wx', 0o600);
  try {
    await file.writeFile(content);
    await file.sync();
  } finally {
    await file.close();
  }
}

async function syncDirectory(path: string): Promise<void> {
  const directory = await open(path, 'r');
  try {
    await directory.sync();
  } finally {
    await directory.close();
  }
}

const POLICY_FILE = 'policy.yaml';
const WHY_MAX = 500;
