// A data directory of what was imported. Never over anything.

import { lstatSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { MotteError } from '@motte/admin/errors';
import { openPolicyHistory } from '@motte/broker/policy-history';
import { renderRegistry } from '@motte/broker/registry';
import { beginDraft, checkFree, type DraftKind, writeNewFile } from '../data/data-draft.ts';
import { policyPath, registryPath } from '../data/layout.ts';
import type { ImportPlan } from './plan.ts';

/** Throws MOT-1001 unless the directory does not exist or is empty. */
export function checkTarget(data: string): void {
  const isDirectory = lstatSync(data, { throwIfNoEntry: false })?.isDirectory() === true;
  const names = isDirectory ? readdirSync(data) : [];
  if (names.some((name) => name === 'motte.yaml' || name === 'store' || name === 'pki'))
    throw new MotteError('MOT-1001', `${data} holds a Motte already`);
  checkFree(data, IMPORTING);
}

/** Throws MOT-1001, or MOT-0201 if nothing can be made there. */
export async function writeImport(data: string, plan: ImportPlan): Promise<void> {
  checkTarget(data);
  const draft = await beginDraft(data, IMPORTING);
  const { path } = draft;
  try {
    await writeNewFile(join(path, 'motte.yaml'), plan.config);
    await writeNewFile(join(path, POLICY_FILE), plan.policy);
    await writeNewFile(registryPath(path), renderRegistry(plan.identities));
    await openPolicyHistory(policyPath(path)).append({
      appliedAtMs: plan.nowMs,
      by: 'motte import',
      why: `from ${plan.source}`.slice(0, WHY_MAX),
      file: POLICY_FILE,
      text: plan.policy,
    });
    await draft.finish();
  } catch (fault) {
    throw fault instanceof MotteError ? fault : draft.unmade(fault);
  } finally {
    await draft.discard();
  }
}

const IMPORTING: DraftKind = {
  work: 'importing',
  code: 'MOT-1001',
  remedy: 'another import is at work, or one was killed: then remove it',
};
const POLICY_FILE = 'policy.yaml';
const WHY_MAX = 500;
