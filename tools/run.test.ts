// What the npm scripts decide: when to install, and how the tests are counted.
import { spawnSync } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

const load = (name: string) => import(new URL(`./run/${name}.mjs`, import.meta.url).href);
const { isMet, RUNTIME, EVERYTHING } = await load('install');
const { countTests, closingLine } = await load('test-counts');

describe('installing', () => {
  const wanted = {
    '': { version: '1.0.0' },
    'packages/a': { version: '1.0.0' },
    'node_modules/a': { link: true },
    'node_modules/ws': { version: '8.0.0', integrity: 'x' },
    'node_modules/tool': { version: '1.0.0', integrity: 'y', dev: true },
    'node_modules/elsewhere': { version: '1.0.0', optional: true },
  };
  const { 'node_modules/tool': _tool, 'node_modules/elsewhere': _elsewhere, ...runtime } = wanted;
  const everything = { ...runtime, 'node_modules/tool': wanted['node_modules/tool'] };

  it('is not needed where everything asked for is there', () => {
    expect(isMet(wanted, runtime, RUNTIME)).toBe(true);
    expect(isMet(wanted, everything, EVERYTHING)).toBe(true);
  });

  it('is needed where something is missing, or of another version or content', () => {
    expect(isMet(wanted, {}, RUNTIME)).toBe(false);
    expect(isMet(wanted, runtime, EVERYTHING)).toBe(false);
    const other = (change: object) => ({ ...runtime, 'node_modules/ws': { ...wanted['node_modules/ws'], ...change } });
    expect(isMet(wanted, other({ version: '8.0.1' }), RUNTIME)).toBe(false);
    expect(isMet(wanted, other({ integrity: 'z' }), RUNTIME)).toBe(false);
  });
});

describe('counting tests', () => {
  const file = (status: string, ...tests: string[]) => ({
    status,
    assertionResults: tests.map((test) => ({ status: test })),
  });
  const lineOf = (code: number, ...testResults: object[]) => closingLine(countTests({ testResults }, code));

  it('counts passed and failed, and skipped where there are any', () => {
    expect(lineOf(0, file('passed', 'passed', 'passed'))).toBe('2 passed, 0 failed');
    expect(lineOf(1, file('failed', 'passed', 'failed', 'skipped'), file('passed', 'todo'))).toBe(
      '1 passed, 1 failed, 2 skipped',
    );
  });

  it('counts a file that could not be loaded as a failure', () => {
    expect(lineOf(1, file('failed'), file('passed', 'passed'))).toBe('1 passed, 1 failed');
  });

  it('counts an error outside every test as a failure', () => {
    expect(lineOf(1, file('passed', 'passed'))).toBe('1 passed, 1 failed');
  });
});

describe('the program', () => {
  it('says how it is used when the command is unknown', () => {
    const tool = fileURLToPath(new URL('./run.mjs', import.meta.url));
    const { status, stderr } = spawnSync(process.execPath, [tool, 'constructor'], { encoding: 'utf8' });
    expect(stderr).toContain('usage: node tools/run.mjs start|build|test|check|bench');
    expect(status).toBe(2);
  });
});
