// The citation tool run as a program over small trees made for the purpose, and the lists in spec/ held to their counts.
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, describe, expect, it } from 'vitest';

const HERE = dirname(fileURLToPath(import.meta.url));
const TOOL = join(HERE, 'citations.mjs');

const trees: string[] = [];
afterEach(() => {
  for (const tree of trees.splice(0)) rmSync(tree, { recursive: true });
});

interface Statement {
  id: string;
  level?: string;
  binds?: string;
  printed?: string;
  differs?: boolean;
}

interface Tree {
  mqtt5?: Statement[];
  mqtt311?: Statement[];
  exceptions?: unknown[];
  files?: Record<string, string>;
}

const A = 'MQTT-3.1.0-1';
const B = 'MQTT-3.1.0-2';

function run(tree: Tree, ...options: string[]) {
  const root = mkdtempSync(join(tmpdir(), 'citations-'));
  trees.push(root);
  const full = (statements: Statement[]) =>
    statements.map((s) => ({ level: 'MUST', binds: 'server', paraphrase: 'Words of ours.', ...s }));
  const files: Record<string, string> = {
    'spec/mqtt5.json': JSON.stringify({ standard: '5.0', statements: full(tree.mqtt5 ?? [{ id: A }]) }),
    'spec/mqtt311.json': JSON.stringify({ standard: '3.1.1', statements: full(tree.mqtt311 ?? []) }),
    'spec/exceptions.json': JSON.stringify(tree.exceptions ?? []),
    ...tree.files,
  };
  for (const [name, text] of Object.entries(files)) {
    mkdirSync(dirname(join(root, name)), { recursive: true });
    writeFileSync(join(root, name), text);
  }
  return spawnSync(process.execPath, [TOOL, '--root', root, ...options], { encoding: 'utf8' });
}

/** What the tool knows of one standard after reading a tree. */
function read(tree: Tree, standard = '5.0') {
  const { stdout, stderr } = run(tree, '--json');
  expect(stderr).toBe('');
  const report = JSON.parse(stdout) as {
    standards: {
      standard: string;
      citedByTest: string[];
      citedByNeitherCodeNorTest: string[];
      missing: string[];
      onUnmarkedTitlesOnly: string[];
    }[];
    unknown: { id: string; file: string; line: number }[];
    faults: string[];
  };
  const found = report.standards.find((s) => s.standard === standard);
  if (found === undefined) throw new Error(`no report on ${standard}`);
  return { ...found, unknown: report.unknown, faults: report.faults };
}

const titledIn = (source: string, name = 'packages/wire/src/a.test.ts') =>
  read({ mqtt5: [{ id: A }, { id: B }], files: { [name]: source } }).citedByTest;

describe('what counts as a test title', () => {
  it.each([
    ['a plain test', `it('[${A}] works', () => {});`],
    ['double quotes and a line break', `test(\n  "[${A}] works", () => {});`],
    ['a template with holes', `it(\`[\${'x'}\${{ a: '}' }.a} ${A}] works\`, () => {});`],
    ['a describe', `describe('[${A}] works', () => {});`],
    ['a concurrent test', `it.concurrent('[${A}] works', () => {});`],
    ['a table', `it.each([[1, ')'], [2, '(']])('[${A}] works', () => {});`],
    ['a typed table', `it.each<[string, number]>([['x', 1]])('[${A}] works', () => {});`],
    ['a tagged table', `it.each\`a | b\n\${1} | \${2}\`('[${A}] works', () => {});`],
    ['a conditional test', `it.skipIf(process.getuid?.() !== 0)('[${A}] works', () => {});`],
    ['a row of cases', `const CASES = [{ title: '[${A}] works', bytes: '10' }];`],
    ['a test behind a regular expression', `const r = /['"]/; it('[${A}] works', () => {});`],
    ['a test behind a division', `const r = 4 / 2; it('[${A}] works', () => {}); const s = 4 / 2;`],
  ])('%s does', (_name, source) => {
    expect(titledIn(source)).toEqual([A]);
  });

  it.each([
    ['a comment', `// it('[${A}] works', () => {});\n/* it('[${A}]') */`],
    ['a body', `it('works', () => { check('${A}'); });`],
    ['a skipped test', `it.skip('[${A}] works', () => {});`],
    ['a test to be written', `it.todo('[${A}] works');`],
    ['a test within a skipped group', `describe.skip('x', () => { it('[${A}] works', () => {}); });`],
    ['a method of that name', `pattern.test('[${A}] works');`],
    ['a call inside a string', `const s = "it('[${A}] works')";`],
  ])('%s does not', (_name, source) => {
    expect(titledIn(source)).toEqual([]);
  });

  it('a test after a skipped group counts again', () => {
    expect(titledIn(`describe.skip('x', () => { it('[${A}]', f); });\nit('[${B}] works', f);`)).toEqual([B]);
  });

  it('several ids in one title all count', () => {
    expect(titledIn(`it('[${A}] [${B}] works', () => {});`)).toEqual([A, B]);
  });

  it('the rules of a vector do, its other texts do not', () => {
    const vector = JSON.stringify([{ title: `about ${B}`, rules: [A] }], undefined, 2);
    expect(titledIn(vector, 'vectors/mqtt/connect.json')).toEqual([A]);
  });

  it('a citation in code is told apart from none at all', () => {
    const files = { 'packages/wire/src/a.ts': `// [${A}]\nthrow new PeerError('malformed-packet', '${A}');` };
    const report = read({ mqtt5: [{ id: A }, { id: B }], files });
    expect(report.citedByTest).toEqual([]);
    expect(report.citedByNeitherCodeNorTest).toEqual([B]);
  });
});

describe('which standard a citation speaks of', () => {
  const both = { mqtt5: [{ id: A }], mqtt311: [{ id: A }] };
  const cited = (name: string, source: string) => ({
    five: read({ ...both, files: { [name]: source } }).citedByTest.length === 1,
    old: read({ ...both, files: { [name]: source } }, '3.1.1').citedByTest.length === 1,
  });

  it.each([
    ['test/conformance/mqtt5/a.test.ts', `it('[${A}]', f)`, { five: true, old: false }],
    ['test/conformance/mqtt311/a.test.ts', `it('[${A}]', f)`, { five: false, old: true }],
    ['test/conformance/mqtt311/a.test.ts', `it('[5.0 ${A}]', f)`, { five: true, old: false }],
    ['test/sim/a.test.ts', `it('[${A}]', f)`, { five: true, old: true }],
    ['test/sim/a.test.ts', `it('[3.1.1 ${A}]', f)`, { five: false, old: true }],
    ['test/sim/a.test.ts', `it('[5.0 ${A}]', f)`, { five: true, old: false }],
    ['test/sim/a.test.ts', `it('[${A}] for MQTT 3.1.1', f)`, { five: false, old: true }],
    ['test/sim/a.test.ts', `it('[${A}] for MQTT 5', f)`, { five: true, old: false }],
    ['test/sim/a.test.ts', `it('[${A}] for 3.1.1 and 5.0', f)`, { five: true, old: true }],
    ['test/sim/a.test.ts', `it('[3.1.1 ${A}] [5.0 ${A}]', f)`, { five: true, old: true }],
    ['vectors/a.json', `[{"rules": ["${A}"]}]`, { five: true, old: true }],
    ['vectors/a.json', `[{"rules": ["3.1.1 ${A}"]}]`, { five: false, old: true }],
    ['vectors/a.json', `{"version": 5, "cases": [{"rules": ["${A}"]}]}`, { five: true, old: false }],
    ['vectors/a.json', `[{"versions": [3, 4], "rules": ["${A}"]}]`, { five: false, old: true }],
    ['vectors/a.json', `[{"versions": [4, 5], "rules": ["${A}"]}]`, { five: true, old: true }],
  ])('%s %s', (name, source, expected) => {
    expect(cited(name, source)).toEqual(expected);
  });

  it('an id that stands in one list only needs no mark', () => {
    const tree = { mqtt5: [{ id: A }], mqtt311: [{ id: B }], files: { 'test/a.test.ts': `it('[${A}] [${B}]', f)` } };
    expect(read(tree)).toMatchObject({ citedByTest: [A], unknown: [] });
    expect(read(tree, '3.1.1')).toMatchObject({ citedByTest: [B], unknown: [] });
  });

  it('an id that differs and has only unmarked titles is pointed out', () => {
    const lists = { mqtt5: [{ id: A, differs: true }, { id: B }], mqtt311: [{ id: A, differs: true }, { id: B }] };
    const unmarked = { ...lists, files: { 'test/a.test.ts': `it('[${A}] [${B}]', f)` } };
    expect(read(unmarked).onUnmarkedTitlesOnly).toEqual([A]);
    const marked = { ...lists, files: { 'test/a.test.ts': `it('[5.0 ${A}] [${B}]', f)` } };
    expect(read(marked).onUnmarkedTitlesOnly).toEqual([]);
    expect(read(marked, '3.1.1').missing).toEqual([A, B]);
  });

  it('a misprinted id may be cited as printed', () => {
    const mqtt311 = [{ id: 'MQTT-3.1.2-7', printed: 'MQTT-3.1.2.7' }];
    const report = read({ mqtt311, files: { 'test/a.test.ts': `it('[MQTT-3.1.2.7]', f)` } }, '3.1.1');
    expect(report).toMatchObject({ citedByTest: ['MQTT-3.1.2-7'], unknown: [] });
  });
});

describe('what fails', () => {
  const tested = { 'test/a.test.ts': `it('[${A}] works', f)` };
  const reason = 'A reason that is long enough to be one.';
  const status = (tree: Tree, ...options: string[]) => run(tree, ...options).status;

  it('an id that no list has, always, with its place', () => {
    const files = { 'packages/wire/src/a.ts': `\n// [MQTT-9.9.9-9]` };
    const { status, stdout } = run({ files });
    expect(status).toBe(1);
    expect(stdout).toContain('packages/wire/src/a.ts:2 MQTT-9.9.9-9');
  });

  it('an id of the other standard in a conformance folder', () => {
    const files = { 'test/conformance/mqtt311/a.test.ts': `it('[${A}]', f)` };
    expect(status({ mqtt5: [{ id: A }], files })).toBe(1);
  });

  it('a misspelt id', () => {
    expect(status({ files: { 'packages/wire/src/a.ts': '// MQTT-3.1.0.1' } })).toBe(1);
  });

  it('a server duty without test or exception, with --strict only', () => {
    expect(status({})).toBe(0);
    expect(status({}, '--strict')).toBe(1);
    expect(status({ files: tested }, '--strict')).toBe(0);
    expect(status({ exceptions: [{ standard: '5.0', id: A, reason }] }, '--strict')).toBe(0);
    expect(status({ mqtt5: [{ id: A, binds: 'both' }] }, '--strict')).toBe(1);
    expect(status({ mqtt5: [{ id: A, binds: 'client' }] }, '--strict')).toBe(0);
  });

  it('a citation in code alone does not satisfy --strict', () => {
    expect(status({ files: { 'packages/wire/src/a.ts': `// [${A}]` } }, '--strict')).toBe(1);
  });

  it.each([
    ['a test title cites it', [{ standard: '5.0', id: A, reason }]],
    ['no such statement', [{ standard: '3.1.1', id: A, reason }]],
    ['at least 30 characters', [{ standard: '5.0', id: A, reason: 'because' }]],
    ['listed twice', Array.from({ length: 2 }, () => ({ standard: '5.0', id: A, reason }))],
    ['41 exceptions', Array.from({ length: 41 }, (_, i) => ({ standard: '5.0', id: `MQTT-9.9.9-${i}`, reason }))],
  ])('an exception: %s', (message, exceptions) => {
    const { status, stdout } = run({ exceptions, files: tested }, '--strict');
    expect(status).toBe(1);
    expect(stdout).toContain(message);
  });

  it('a wrong option', () => {
    expect(status({}, '--sloppy')).toBe(2);
  });
});

describe('the lists in spec/', () => {
  const statements = (name: string) =>
    (JSON.parse(readFileSync(join(HERE, '..', 'spec', name), 'utf8')) as { statements: Statement[] }).statements;

  it('hold 251 statements of MQTT 5.0 and 141 of MQTT 3.1.1, 139 of these printed in the usual form', () => {
    expect(statements('mqtt5.json')).toHaveLength(251);
    expect(statements('mqtt311.json')).toHaveLength(141);
    expect(statements('mqtt311.json').filter((s) => s.printed === undefined)).toHaveLength(139);
  });

  it('mark the same ids as differing, each of them in both', () => {
    const differing = (name: string) =>
      statements(name)
        .filter((s) => s.differs)
        .map((s) => s.id);
    expect(differing('mqtt5.json')).toEqual(differing('mqtt311.json'));
  });

  it('leave no gap in the numbers of a section but the one the standard has', () => {
    for (const name of ['mqtt5.json', 'mqtt311.json']) {
      const ids = new Set(statements(name).map((s) => s.id));
      const gaps = [...ids].filter((id) => {
        const [section, number] = [id.slice(0, id.lastIndexOf('-')), Number(id.slice(id.lastIndexOf('-') + 1))];
        return number > 1 && !ids.has(`${section}-${number - 1}`);
      });
      expect(gaps).toEqual(name === 'mqtt5.json' ? ['MQTT-2.2.1-2'] : []);
    }
  });
});
