// Writes docs/reference/{configuration,commands,errors,events}.md from the built program, so that they cannot drift from
// it. `--check` writes nothing and exits 1 if a file is not what it would write. Run after a build.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = new URL('../', import.meta.url);

const [{ SCHEMA }, { CATALOGUE }, { EVENTS }, { describeCommands }] = await Promise.all([
  import('../packages/motte/dist/config/schema.js'),
  import('../packages/motte/dist/catalogue.js'),
  import('../packages/broker/dist/events.js'),
  import('../packages/motte/dist/describe-commands.js'),
]);

const head = (title, sentence) =>
  `# ${title}\n\n${sentence}\n\n<!-- Written by tools/reference.mjs from the code; change it there. -->\n`;
const cell = (text) => String(text).replaceAll('|', '\\|').replaceAll('\n', ' ');
const table = (heading, rows) =>
  [heading, heading.map(() => '---'), ...rows].map((row) => `| ${row.map(cell).join(' | ')} |`).join('\n');

function configuration() {
  const parts = [
    head(
      'motte.yaml',
      'Every key, its default, and what breaks if it is loosened. A list or section replaces the default one whole; an unknown key is an error. `motte config show` marks each value that is weaker than the default.',
    ),
  ];
  for (const [name, schema] of Object.entries(SCHEMA.properties)) {
    parts.push(`## ${name}\n`);
    if (schema.description) parts.push(`${schema.description}\n`);
    const fallback = schema.default;
    const object = schema.type === 'object' ? schema : schema.anyOf?.find((one) => one.type === 'object');
    const entry = schema.items?.type === 'object' ? schema.items : object;
    if (fallback !== undefined) parts.push(`Default: \`${JSON.stringify(fallback)}\`\n`);
    if (schema['x-later']) parts.push('Not in this version.\n');
    if (entry) parts.push(`${keyTable(entry, '')}\n`);
    else if (schema['x-applies']) parts.push(`${table(KEY_HEADING, [keyRow(name, schema, true)])}\n`);
  }
  return parts.join('\n');
}

const KEY_HEADING = ['key', 'may be', 'default', 'applies', 'says', 'what breaks if it is loosened'];

function keyTable(object, prefix) {
  const rows = [];
  const add = (schema, before) => {
    for (const [name, property] of Object.entries(schema.properties)) {
      const required = schema.required?.includes(name) ?? false;
      if (property.type === 'object' && property.properties) add(property, `${before}${name}.`);
      else rows.push(keyRow(`${before}${name}`, property, required));
      if (property.items?.properties) add(property.items, `${before}${name}[].`);
    }
  };
  add(object, prefix);
  return table(KEY_HEADING, rows);
}

function keyRow(name, schema, required) {
  if (schema['x-later']) return [`\`${name}\``, '', '', '', `${schema.description} Not in this version.`, ''];
  const fallback =
    schema.default === undefined ? (required ? 'must be given' : 'none') : `\`${JSON.stringify(schema.default)}\``;
  return [
    `\`${name}\``,
    allowed(schema),
    fallback,
    schema['x-applies'] ?? '',
    schema.description ?? '',
    schema['x-breaks'] ?? '',
  ];
}

function allowed(schema) {
  if (schema['x-allowed']) return schema['x-allowed'];
  if (schema.anyOf) return schema.anyOf.map(allowed).join(', or ');
  if (schema.enum)
    return schema.enum
      .filter((one) => !schema['x-later-values']?.includes(one))
      .map((one) => `\`${one}\``)
      .join(' ');
  if (schema.type === 'integer') return `${schema.minimum} to ${schema.maximum} ${schema['x-unit'] ?? ''}`.trim();
  if (schema.type === 'array') return `list of ${allowed(schema.items)}`;
  if (schema.type === 'object') return `{ ${Object.keys(schema.properties).join(', ')} }`;
  return 'text';
}

async function commands() {
  const parts = [
    head(
      'Commands',
      'Exit codes: 0 done or yes, 1 the answer is no or findings, 2 wrong usage, 3 the broker cannot be reached, 4 configuration or data refused. Every command also takes `--data DIR`, `--config FILE`, `--json`, `--yes`, `--debug` and `--help`, before the noun or after the verb.',
    ),
  ];
  for (const { usage, says, args, options } of await describeCommands()) {
    parts.push(`## ${usage}\n\n${says}\n`);
    const rows = [...args, ...options];
    if (rows.length > 0)
      parts.push(
        `${table(
          ['', ''],
          rows.map(([term, text]) => [`\`${term}\``, text]),
        )}\n`,
      );
  }
  return parts.join('\n');
}

function errors() {
  const rows = [...CATALOGUE].map(([code, row]) => [code, row.what, row.when, row.remedy, row.exit]);
  const sentence =
    'Every error is one line, `motte: WHAT: WHY (MOT-nnnn)`, and a second with what to do. `motte errors MOT-nnnn` prints a row.';
  return `${head('Errors', sentence)}\n${table(['number', 'what', 'when', 'what to do', 'exit'], rows)}\n`;
}

function events() {
  const rows = Object.entries(EVENTS).map(([name, { level, text }]) => [`\`${name}\``, level, text]);
  return `${head('Events', 'Everything that the log can say about the broker and its clients.')}\n${table(['event', 'level', 'meaning'], rows)}\n`;
}

const check = process.argv.includes('--check');
const pages = { configuration: configuration(), commands: await commands(), errors: errors(), events: events() };
mkdirSync(new URL('docs/reference/', root), { recursive: true });
for (const [name, text] of Object.entries(pages)) {
  const path = fileURLToPath(new URL(`docs/reference/${name}.md`, root));
  if (!check) {
    writeFileSync(path, text);
    continue;
  }
  let before = '';
  try {
    before = readFileSync(path, 'utf8');
  } catch {
    // A page that is missing is a page that differs.
  }
  if (before !== text) {
    process.stderr.write(`docs/reference/${name}.md is not what the code says: run \`node tools/reference.mjs\`\n`);
    process.exitCode = 1;
  }
}
