// The import table is enforced: in a copy of the sources with forbidden imports planted, each is refused, whether it is
// written as a path or as a package's name, and what is allowed is not.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readdirSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';

const ROOT = join(dirname(fileURLToPath(import.meta.url)), '..');
const NOT_COPIED = /\/(?:dist|node_modules|[^/]+\.tsbuildinfo)$/;

const PLANTED = {
  'packages/broker/src/core/by-path.ts': "import '../store/registry.ts';\n",
  'packages/wire/src/by-name.ts': "import '@motte/admin';\n",
  'packages/pki/src/type-alone.ts': "import type { Broker } from '@motte/broker';\nexport type B = Broker;\n",
  'packages/wire/src/of-node.ts': "import 'node:fs';\n",
  'packages/broker/src/core/of-others.ts': "import 'node:timers';\nimport 'pino';\n",
  'packages/client/src/nowhere.ts': "import './gone.ts';\n",
  'packages/client/src/undeclared.ts': "import 'pino';\n",
  'packages/client/src/ring-a.ts': "import './ring-b.ts';\n",
  'packages/client/src/ring-b.ts': "import './ring-a.ts';\n",
  'packages/client/src/type-ring-a.ts': "import type { B } from './type-ring-b.ts';\nexport interface A { b: B }\n",
  'packages/client/src/type-ring-b.ts': "import type { A } from './type-ring-a.ts';\nexport interface B { a: A }\n",
  'packages/wire/dist/built.js': '',
  'packages/client/src/of-built.ts': "import '../../wire/dist/built.js';\n",
  'packages/broker/src/elsewhere.ts': "import './ports/clock.ts';\n",
  'packages/broker/src/net/allowed.ts': "import '../core/deadlines.ts';\nimport '@motte/wire';\nimport 'node:net';\n",
};

/** The packages as they are and what is planted, with a node_modules in which our own packages are the copies. */
function plantIn(copy: string): void {
  cpSync(join(ROOT, 'packages'), join(copy, 'packages'), { recursive: true, filter: (path) => !NOT_COPIED.test(path) });
  const modules = join(copy, 'node_modules');
  mkdirSync(join(modules, '@motte'), { recursive: true });
  for (const name of readdirSync(join(ROOT, 'node_modules'))) {
    if (!/^(?:\.|@motte$|motte$)/.test(name)) symlinkSync(join(ROOT, 'node_modules', name), join(modules, name));
  }
  for (const name of readdirSync(join(copy, 'packages'))) {
    symlinkSync(join('..', '..', 'packages', name), join(modules, '@motte', name));
  }
  for (const [path, text] of Object.entries(PLANTED)) {
    mkdirSync(dirname(join(copy, path)), { recursive: true });
    writeFileSync(join(copy, path), text);
  }
}

function check(root: string) {
  const tool = join(ROOT, 'tools/checks/import-table.mjs');
  return spawnSync(process.execPath, [tool, '--root', root], { encoding: 'utf8' });
}

describe('the import table', () => {
  let copy: string;
  let found: { status: number | null; stderr: string };
  beforeAll(() => {
    copy = mkdtempSync(join(tmpdir(), 'imports-'));
    plantIn(copy);
    found = check(copy);
  });
  afterAll(() => rmSync(copy, { recursive: true }));

  /** What is said of the planted file: everything behind its name, line by line. */
  const saidOf = (file: string) =>
    found.stderr.split('\n').flatMap((line) => (line.startsWith(`packages/${file} → `) ? [line.split(' → ')[1]] : []));

  it('fails when a forbidden import was found', () => {
    expect(found.status).toBe(1);
  });

  it('refuses a forbidden import by path', () => {
    expect(saidOf('broker/src/core/by-path.ts')).toEqual([
      'packages/broker/src/store/registry.ts: broker/core imports only wire, broker/events, broker/ports',
    ]);
  });

  it('refuses a forbidden import by package name', () => {
    expect(saidOf('wire/src/by-name.ts')).toEqual(['packages/admin/src/index.ts: wire imports nothing of ours']);
  });

  it('refuses a forbidden import of a type alone', () => {
    expect(saidOf('pki/src/type-alone.ts')).toEqual(['packages/broker/src/start.ts: pki imports nothing of ours']);
  });

  it('refuses Node and packages in wire and in the core', () => {
    expect(saidOf('wire/src/of-node.ts')).toEqual(['fs: wire imports neither Node nor a package']);
    const others = saidOf('broker/src/core/of-others.ts');
    expect(others).toHaveLength(2);
    expect(others).toContain('timers: broker/core imports neither Node nor a package');
    expect(others).toContainEqual(expect.stringMatching(/pino\S*: broker\/core imports neither Node nor a package$/));
  });

  it('refuses an import that leads nowhere or to a package its own does not declare', () => {
    expect(saidOf('client/src/nowhere.ts')).toEqual(['./gone.ts: every import leads to a file']);
    expect(saidOf('client/src/undeclared.ts')).toEqual([expect.stringContaining('every package imported is declared')]);
  });

  it('refuses to stop at what was built, behind which imports are not seen', () => {
    expect(saidOf('client/src/of-built.ts')).toContainEqual(expect.stringContaining('imports lead to sources'));
  });

  it('refuses a cycle at run time, and lets types refer to one another', () => {
    expect(found.stderr).toMatch(/ring-[ab]\.ts → .*ring-[ab]\.ts: no cycle at run time/);
    expect(found.stderr).not.toContain('type-ring');
  });

  it('refuses a file that belongs to no area, and leaves alone what the table allows', () => {
    expect(saidOf('broker/src/elsewhere.ts')).toEqual([expect.stringContaining('every file belongs to an area')]);
    expect(saidOf('broker/src/net/allowed.ts')).toEqual([]);
  });

  it('does not pass when it read nothing', () => {
    const empty = mkdtempSync(join(tmpdir(), 'imports-'));
    mkdirSync(join(empty, 'packages'));
    const { status, stderr } = check(empty);
    rmSync(empty, { recursive: true });
    expect(stderr).toContain('packages: no sources found');
    expect(status).toBe(1);
  });
});
