// docs/dependencies.md names exactly the packages that a running Motte loads, and package-lock.json is in step with every
// package.json, so that `npm ci` installs on the next machine what was tested on this one.
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { rootFromArguments, tell } from './findings.mjs';

const PAGE = 'docs/dependencies.md';
const OURS = /^(?:@motte\/|motte$)/;
/** The name that opens a row of the page's table. */
const ROW = /^\|\s*`([^`]+)`\s*\|/gm;

const root = rootFromArguments();
const read = (path) => readFileSync(join(root, path), 'utf8');
const lock = JSON.parse(read('package-lock.json')).packages;
const folders = readdirSync(join(root, 'packages')).map((name) => `packages/${name}`);
const manifests = ['', ...folders]
  .map((folder) => ({ folder, path: join(folder, 'package.json') }))
  .filter(({ path }) => existsSync(join(root, path)))
  .map(({ folder, path }) => ({ folder, path, manifest: JSON.parse(read(path)) }));

const needed = new Map();
for (const { folder, manifest } of manifests) {
  if (folder === '') continue;
  for (const [name, version] of Object.entries({ ...manifest.dependencies, ...manifest.optionalDependencies })) {
    if (!OURS.test(name)) needed.set(name, version);
  }
}
const listed = new Set([...read(PAGE).matchAll(ROW)].map(([, name]) => name));

const findings = [
  ...[...needed.keys()].filter((name) => !listed.has(name)).map((name) => `${PAGE}: ${name} is missing`),
  ...[...listed].filter((name) => !needed.has(name)).map((name) => `${PAGE}: no package needs ${name}`),
  ...[...needed].filter(([, version]) => !/^\d/.test(version)).map(([name]) => `${name}: give one exact version`),
  ...manifests
    .filter(({ folder, manifest }) => !inStep(manifest, lock[folder]))
    .map(({ path }) => `package-lock.json: not in step with ${path}: run \`npm install --package-lock-only\``),
];
tell(findings, `${needed.size} runtime dependencies, each with its reason; the lock file is in step`);

function inStep(manifest, locked) {
  return ['dependencies', 'devDependencies', 'optionalDependencies'].every((kind) => {
    const own = Object.entries(manifest[kind] ?? {});
    const theirs = locked?.[kind] ?? {};
    return own.length === Object.keys(theirs).length && own.every(([name, version]) => theirs[name] === version);
  });
}
