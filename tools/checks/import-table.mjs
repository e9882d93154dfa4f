// Holds the sources to the import table of .dependency-cruiser.cjs, and holds the cruiser to having read them: one that finds
// no modules, or does not follow an import by package name, would pass everything.

import { existsSync, readdirSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join, resolve } from 'node:path';
import { cruise } from 'dependency-cruiser';
import { rootFromArguments, tell } from './findings.mjs';

const root = resolve(rootFromArguments());
const { forbidden, options } = createRequire(import.meta.url)('../../.dependency-cruiser.cjs');

const folders = readdirSync(join(root, 'packages'))
  .map((name) => `packages/${name}/src`)
  .filter((folder) => existsSync(join(root, folder)));
const sources = folders.flatMap((folder) => filesBelow(folder)).filter((path) => path.endsWith('.ts'));
const { output } = await cruise(folders, { ...options, baseDir: root, ruleSet: { forbidden }, validate: true });
const modules = new Map(output.modules.map((module) => [module.source, module]));
const edges = output.modules.flatMap(({ source, dependencies }) => dependencies.map((edge) => ({ ...edge, source })));

const findings = [
  ...output.summary.violations.map(({ from, to, rule, cycle }) => {
    const way = cycle?.map(({ name }) => name).join(' → ') ?? to;
    return `${from} → ${way}: ${rule.name}`;
  }),
  ...sources.filter((path) => !modules.has(path)).map((path) => `${path}: was not read by dependency-cruiser`),
  ...blindSpots(),
];
tell(findings, `${sources.length} modules read, ${edges.length} imports, all within the table`);

/** What would show that imports are not followed: our own packages never reached by name, types never seen. */
function blindSpots() {
  const byName = edges.filter(
    ({ module, resolved }) => module.startsWith('@motte/') && resolved.startsWith('packages/'),
  );
  const spots = [];
  if (sources.length === 0) spots.push('packages: no sources found');
  if (byName.length === 0) spots.push('packages: no import by package name was followed into its sources');
  if (!edges.some(({ dependencyTypes }) => dependencyTypes.includes('type-only')))
    spots.push('packages: no import of a type was seen');
  return spots;
}

function filesBelow(folder) {
  return readdirSync(join(root, folder), { withFileTypes: true }).flatMap((entry) => {
    const path = `${folder}/${entry.name}`;
    return entry.isDirectory() ? filesBelow(path) : [path];
  });
}
