// The storm at length: see README.md in this folder. Starts Node again so that it reads TypeScript and the sources of the packages.
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';

const here = (name) => fileURLToPath(new URL(name, import.meta.url));
const flags = ['--conditions=source', '--import', new URL('../fuzz/typescript-loader.mjs', import.meta.url).href];
const child = spawn(process.execPath, [...flags, here('main.ts'), ...process.argv.slice(2)], { stdio: 'inherit' });
child.once('exit', (code) => {
  process.exitCode = code ?? 1;
});
