// An import as its tests look at it: of a folder that is gone afterwards, what was said by file and line, what was opened.

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll } from 'vitest';
import { parseText } from '../../packages/motte/src/config/config.ts';
import type { ImportPlan } from '../../packages/motte/src/import/plan.ts';
import { importOf, passwordLine } from './imported.ts';

const root = mkdtempSync(join(tmpdir(), 'motte-import-'));
afterAll(() => rmSync(root, { recursive: true, force: true }));
let last = 0;

export function folder(): string {
  return join(root, String(last++));
}

export function plan(conf: string, files: Readonly<Record<string, string>> = {}, at = folder()): ImportPlan {
  return importOf(at, { 'mosquitto.conf': conf, passwd: passwordLine('ada'), acl: 'topic read nothing\n', ...files });
}

/** `FILE:LINE what -> becomes`, the file without its folder. */
export function entries({ report }: ImportPlan, kind?: string): string[] {
  return report.entries
    .filter((entry) => kind === undefined || entry.kind === kind)
    .map(({ file, line, what, becomes }) => {
      const name = file.slice(file.lastIndexOf('/') + 1);
      return `${name}:${line} ${what}${becomes === undefined ? '' : ` -> ${becomes}`}`;
    });
}

export function listenersOf({ config }: ImportPlan) {
  return parseText(config, 'motte.yaml').listeners.map(({ name, url, authentication, clientIds }) => [
    name,
    url,
    authentication,
    clientIds,
  ]);
}

export const WITH_PASSWORDS = 'password_file passwd\nacl_file acl\n';
export const TLS = 'certfile server.crt\nkeyfile server.key\n';
