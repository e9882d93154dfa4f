// Writes docs/images/first-message.svg: what a terminal shows of a first start, the demo and one `motte why`. The output is
// real, from the built program on its default ports; only the name of the folder is another. Run after a build.

import { execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const ENTRY = fileURLToPath(new URL('../packages/motte/bin/motte.js', import.meta.url));
const PICTURE = fileURLToPath(new URL('../docs/images/first-message.svg', import.meta.url));
const COLUMNS = 112;
const LINE_HEIGHT = 17;
const CHARACTER_WIDTH = 7.83;

const folder = mkdtempSync(join(tmpdir(), 'motte-picture-'));
const env = { ...process.env, npm_lifecycle_event: 'npx' };
const broker = spawn(process.execPath, [ENTRY, 'start'], { cwd: folder, env, stdio: ['ignore', 'ignore', 'pipe'] });
const ended = new Promise((resolve) => broker.once('exit', resolve));
try {
  const greeting = await greetingOf(broker);
  const run = (...args) => execFileSync(process.execPath, [ENTRY, ...args], { cwd: folder, env, encoding: 'utf8' });
  const session = [
    ['$ npm start', greeting],
    ['$ npx motte demo', run('demo')],
    ['$ npx motte why last', run('why', 'last')],
  ];
  writeFileSync(PICTURE, render(session.flatMap(([prompt, text]) => [prompt, ...linesOf(text), ''])));
} finally {
  broker.kill('SIGTERM');
  await ended;
  rmSync(folder, { recursive: true, force: true });
}

function greetingOf(child) {
  return new Promise((resolve, reject) => {
    let text = '';
    child.stderr.on('data', (chunk) => {
      text += chunk;
      if (text.includes('motte pub')) resolve(text);
    });
    child.once('exit', () => reject(new Error(`the broker ended: ${text}`)));
  });
}

/** Lines as a terminal of COLUMNS breaks them, the continuation indented as its beginning. */
function linesOf(text) {
  return text
    .trim()
    .replaceAll(folder, '~/motte')
    .split('\n')
    .flatMap((line) => {
      const indent = /^ */.exec(line)[0];
      const parts = [];
      let rest = line;
      while (rest.length > COLUMNS) {
        const space = rest.lastIndexOf(' ', COLUMNS);
        const cut = space > indent.length ? space : COLUMNS;
        parts.push(rest.slice(0, cut));
        rest = indent + rest.slice(cut).trimStart();
      }
      return [...parts, rest];
    });
}

function render(lines) {
  const escape = (text) => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');
  const color = (line) => (line.startsWith('$') ? 'p' : /^(ok|all went) /.test(line) ? 'k' : 't');
  const [width, height] = [Math.ceil(COLUMNS * CHARACTER_WIDTH) + 32, lines.length * LINE_HEIGHT + 24];
  const rows = lines.map(
    (line, row) => `<text class="${color(line)}" x="16" y="${28 + row * LINE_HEIGHT}">${escape(line)}</text>`,
  );
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}">
<!-- Written by tools/picture.mjs. -->
<style>text{font:13px "DejaVu Sans Mono",Menlo,Consolas,monospace;white-space:pre}.t{fill:#d5dae0}.p{fill:#7fc8f8;font-weight:bold}.k{fill:#8fd694}</style>
<rect width="100%" height="100%" rx="8" fill="#1b2028"/>
${rows.join('\n')}
</svg>
`;
}
