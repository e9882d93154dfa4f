// What a backup takes of the broker: the registry, the policies, motte.yaml and all records of the store, from one moment. Of a running
// broker over its admin socket, of a stopped one from its files, under the lock: the same stream either way.

import { existsSync, readdirSync, readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { MotteError, openAdmin } from '@motte/admin';
import { BackupWriter } from '@motte/admin/backup';
import type { BackupSource } from '@motte/broker/ports/admin-view';
import type { Store } from '@motte/broker/ports/store';
import { VERSION } from '@motte/broker/ports/version';
import { STORE_FORMAT } from '@motte/broker/store-files';
import type { Context } from '../context.ts';
import { askAuthority } from '../data/ask-authority.ts';
import { checkData, policyPath, registryPath, storePath, tokensPath } from '../data/layout.ts';
import { said } from '../data/said.ts';

/** Names in the backup; whatever file the configuration came from is restored as motte.yaml. */
export const REGISTRY_FILE = 'registry.json';
export const TOKENS_FILE = 'tokens.json';
export const POLICY_FILE = 'policy.json';
export const CONFIG_FILE = 'motte.yaml';

/** Of a broker that runs in this process; throws MOT-0801 if its store is in memory. */
export function runningSource(store: Store, data: string, configFile: string | undefined): BackupSource {
  const records = store.snapshot();
  if (records === undefined) throw new MotteError('MOT-0801', 'store.kind is memory');
  return { storeFormat: STORE_FORMAT, files: filesOf(data, configFile), records };
}

/** Runs `work` on the stream of the broker's part. Throws MOT-0801, MOT-0203 and what the admin API says. */
export async function withBrokerPart<T>(
  context: Context,
  id: string,
  work: (part: AsyncIterable<Uint8Array>, where: 'running' | 'offline') => Promise<T>,
): Promise<T> {
  const admin = openAdmin(context.data);
  const running = await admin.status().then(
    () => true,
    (fault) => {
      if (fault instanceof MotteError && fault.code === 'MOT-0501') return false;
      throw fault;
    },
  );
  if (running) return work(await admin.backup(id), 'running');
  checkData(context.data);
  const { lockData } = await import('../data/lock.ts');
  const lock = await lockData(context.data);
  try {
    return await work(offlinePart(context, id), 'offline');
  } finally {
    await lock.release();
  }
}

/** About how large the broker's part gets: the files of its store as they are. */
export function estimateBytes(data: string): number {
  let bytes = 0;
  try {
    for (const name of readdirSync(storePath(data))) {
      bytes += statSync(join(storePath(data), name), { throwIfNoEntry: false })?.size ?? 0;
    }
  } catch {
    // No bar then.
    return 0;
  }
  return bytes;
}

async function* offlinePart(context: Context, id: string): AsyncGenerator<Uint8Array> {
  const { DamageFault, FormatFault, readStoreFiles } = await import('@motte/broker/store-files');
  const path = storePath(context.data);
  const { fingerprint } = await askAuthority(context, (ca) => ca.caInfo());
  const records = await readStoreFiles(path).catch((fault: Error) => {
    const code = fault instanceof FormatFault ? 'MOT-0206' : fault instanceof DamageFault ? 'MOT-0207' : 'MOT-0208';
    throw new MotteError(code, `${path}: ${fault.message}`, { cause: fault });
  });
  if (records === undefined) throw new MotteError('MOT-0801', `${path} holds no store`);
  try {
    const writer = new BackupWriter();
    const made = new Date().toISOString();
    yield writer.start({ format: 1, id, motte: VERSION, made, ca: fingerprint, store: STORE_FORMAT });
    const { path: config } = context.config;
    for (const { name, content } of filesOf(context.data, config)) yield writer.file(name, content);
    for (let page = await records.next(); page.length > 0; page = await records.next()) yield writer.records(page);
    yield writer.end();
  } finally {
    await records.close();
  }
}

function filesOf(data: string, configFile: string | undefined): { name: string; content: Uint8Array }[] {
  const files: { name: string; content: Uint8Array }[] = [];
  for (const [name, path] of [
    [REGISTRY_FILE, registryPath(data)],
    [TOKENS_FILE, tokensPath(data)],
    [POLICY_FILE, policyPath(data)],
    [CONFIG_FILE, configFile],
  ] as const) {
    if (path === undefined || !existsSync(path)) continue;
    try {
      files.push({ name, content: readFileSync(path) });
    } catch (fault) {
      throw new MotteError('MOT-0803', `${path}: ${said(fault)}`, { cause: fault });
    }
  }
  return files;
}
