// The checks of documents and files, each run as a program over a small tree made for the purpose.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';

const HERE = dirname(fileURLToPath(import.meta.url));

const trees: string[] = [];
afterEach(() => {
  for (const tree of trees.splice(0)) rmSync(tree, { recursive: true });
});

/** Findings of one check over these files, or what it says when it finds none. */
function run(name: string, files: Record<string, string>) {
  const root = mkdtempSync(join(tmpdir(), 'checks-'));
  trees.push(root);
  for (const [path, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, path)), { recursive: true });
    writeFileSync(join(root, path), text.replaceAll('{root}', root));
  }
  const tool = join(HERE, 'checks', `${name}.mjs`);
  const { status, stdout, stderr } = spawnSync(process.execPath, [tool, '--root', root], { encoding: 'utf8' });
  return { status, stdout, findings: stderr.split('\n').filter((line) => line !== '') };
}

describe('links', () => {
  it('finds a link to a missing file, to a missing heading and out of the tree', () => {
    const { status, findings } = run('links', {
      'README.md': '[a](docs/gone.md) [b](docs/here.md#nothing) [c](../up.md)\n',
      'docs/here.md': '# Here\n',
    });
    expect(status).toBe(1);
    expect(findings).toEqual([
      'README.md: docs/gone.md: leads nowhere',
      'README.md: docs/here.md#nothing: names a heading that is not there',
      'README.md: ../up.md: leads out of the tree',
    ]);
  });

  it('follows relative links, headings, folders and definitions, and leaves addresses and code alone', () => {
    const { status, stdout } = run('links', {
      'README.md': '[a](docs/here.md#a-heading-with-code) [b](docs) [c](#top) [d][e]\n\n# Top\n\n[e]: docs/here.md\n',
      'docs/here.md':
        '## A heading, with `code`\n[up](../README.md) [x](https://example.org) `[y](z.md)`\n```\n[q](r.md)\n```\n',
    });
    expect(stdout).toContain('5 links in 2 pages lead to a file');
    expect(status).toBe(0);
  });
});

describe('dependencies', () => {
  const page = '| package | why |\n|---|---|\n| `ws` | WebSocket framing |\n';
  const root = '{"devDependencies": {"tool": "1.0.0"}}';
  const lock = (dependencies: string) =>
    `{"packages": {"": {"devDependencies": {"tool": "1.0.0"}}, "packages/a": {"dependencies": ${dependencies}}}}`;
  const manifest = (dependencies: string) => `{"dependencies": ${dependencies}}`;

  it('is content when the page lists what the packages need', () => {
    const needs = '{"@motte/wire": "0.1.0", "ws": "8.0.0"}';
    const { status } = run('dependencies', {
      'package.json': root,
      'package-lock.json': lock(needs),
      'packages/a/package.json': manifest(needs),
      'docs/dependencies.md': page,
    });
    expect(status).toBe(0);
  });

  it('finds what is missing from the page, what is there for nothing, ranges, and a lock file out of step', () => {
    const { findings } = run('dependencies', {
      'package.json': root,
      'package-lock.json': lock('{"pino": "10.0.0"}'),
      'packages/a/package.json': manifest('{"pino": "^10.0.0"}'),
      'docs/dependencies.md': page,
    });
    expect(findings).toEqual([
      'docs/dependencies.md: pino is missing',
      'docs/dependencies.md: no package needs ws',
      'pino: give one exact version',
      'package-lock.json: not in step with packages/a/package.json: run `npm install --package-lock-only`',
    ]);
  });
});

describe('file size', () => {
  it('finds a source file of more than 400 lines, and leaves data alone', () => {
    const { findings } = run('file-size', {
      'a.ts': 'x;\n'.repeat(400),
      'b.ts': 'x;\n'.repeat(401),
      'c.json': '\n'.repeat(500),
    });
    expect(findings).toEqual(['b.ts: 401 lines, at most 400: split it along a seam a reader would name']);
  });
});

describe('words', () => {
  it('finds paths of a machine, registry hosts and work left undone', () => {
    const mirror = ['https://npm', 'registry', 'example.org'].join('.');
    const { findings } = run('words', {
      'a.md': 'see {root}/notes\nand /home/' + 'someone/notes\n',
      'package-lock.json': `"resolved": "${mirror}/ws.tgz"\n`,
      'c.ts': '// TO' + 'DO later\n',
    });
    expect(findings.map((finding) => finding.split(':').slice(0, 2).join(':')).sort()).toEqual([
      'a.md:1',
      'a.md:2',
      'c.ts:1',
      'package-lock.json:1',
      'package-lock.json:1',
    ]);
  });

  it('lets ordinary paths and addresses be', () => {
    const { status } = run('words', { 'a.md': '/usr/bin/openssl, ./motte-data/, https://example.org/x, /home\n' });
    expect(status).toBe(0);
  });
});
