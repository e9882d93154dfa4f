import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { beforeAll, expect, it } from 'vitest';
import { buildPki } from './testing/authority-child.ts';

beforeAll(buildPki);

it.each(['index.js', 'protocol.js'])('importing %s loads no X.509 library', async (name) => {
  const url = new URL(`../dist/${name}`, import.meta.url).href;
  const program = `import(${JSON.stringify(url)}).then(() => console.log(typeof Reflect.getMetadata, Object.keys(require.cache).length))`;
  const { stdout } = await promisify(execFile)(process.execPath, ['-e', program]);
  expect(stdout.trim()).toBe('undefined 0');
});
