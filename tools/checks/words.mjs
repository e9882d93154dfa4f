// What no committed file may hold: paths of the machine it was written on, hosts of a private package registry, and notes
// of work left undone.
import { readFileSync } from 'node:fs';
import { homedir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { ownFiles, rootFromArguments, tell } from './findings.mjs';

const TEXT = /(?:\.(?:[cm]?[jt]sx?|json|jsonc|md|ya?ml|c|h|sh|py|css|html|txt|toml|service)|\/run|npmrc)$/;
const SELF = fileURLToPath(import.meta.url);

/** Folders that every machine has; a path below them says nothing about one. */
const COMMON = new Set([
  '/',
  '/tmp',
  '/var',
  '/var/tmp',
  '/opt',
  '/srv',
  '/home',
  '/usr',
  '/usr/src',
  '/root',
  '/mnt',
  '/app',
]);

const root = resolve(rootFromArguments());
const machine = [root, dirname(root), homedir()].filter((path) => !COMMON.has(path)).map((path) => `${path}/`);
const PATTERNS = [
  [/\/(?:home|Users)\/[a-z][\w.-]*\//, 'a path of somebody’s machine'],
  [
    /https?:\/\/(?!registry\.npmjs\.org\b)[\w.-]*(?:registry|artifactory|nexus|npmmirror|verdaccio)[\w.-]*[:/]/,
    'a package registry’s host',
  ],
  [/"resolved": "https?:\/\/(?!registry\.npmjs\.org\/)/, 'a package registry’s host'],
  [/\b(?:TODO|FIXME|XXX)\b/, 'work left undone: do it, or open an issue'],
];

const findings = [];
const texts = ownFiles(root).filter((path) => TEXT.test(`/${path}`) && resolve(root, path) !== SELF);
for (const path of texts) {
  for (const [index, line] of readFileSync(join(root, path), 'utf8').split('\n').entries()) {
    const place = `${path}:${index + 1}`;
    if (machine.some((folder) => line.includes(folder))) findings.push(`${place}: a path of this machine`);
    for (const [pattern, what] of PATTERNS) if (pattern.test(line)) findings.push(`${place}: ${what}`);
  }
}
tell(findings, `${texts.length} text files hold no path of a machine, no registry host and no work left undone`);
