// Compares the normative statements listed in spec/ with the rule ids that code, tests and vectors cite.
// Reports what nobody cites; fails on ids that do not exist and, with --strict, on server duties without a test.
// Finding citations in a file is scan.mjs's business; what the ids mean is spec/README.md's.
import { readdirSync, readFileSync } from 'node:fs';
import { dirname, join, sep } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { citationsIn } from './citations/scan.mjs';

const EXCEPTIONS_MAX = 40;
const EXCEPTION_REASON_CHARACTERS_MIN = 30;
const LISTS = ['spec/mqtt311.json', 'spec/mqtt5.json'];
const USAGE = 'usage: node tools/citations.mjs [--strict] [--json] [--root DIR]';

const LEVELS = new Set(['MUST', 'MUST NOT']);
const BINDS = new Set(['server', 'client', 'both']);

function main() {
  const options = parseOptions();
  if (options === undefined) {
    console.error(USAGE);
    return 2;
  }
  const root = options.root ?? join(dirname(fileURLToPath(import.meta.url)), '..');
  const lists = LISTS.map((path) => parseList(JSON.parse(readFileSync(join(root, path), 'utf8')), path));
  const exceptions = JSON.parse(readFileSync(join(root, 'spec/exceptions.json'), 'utf8'));
  const citations = sourceFiles(root)
    .flatMap((file) => citationsIn(file, readFileSync(join(root, file), 'utf8')))
    .map((found) => resolvePrinted(found, lists));
  const report = compare(lists, exceptions, citations);
  console.log(options.json ? JSON.stringify(report, undefined, 2) : render(report));
  return exitCode(report, options.strict === true);
}

function parseOptions() {
  const flags = { strict: { type: 'boolean' }, json: { type: 'boolean' }, root: { type: 'string' } };
  try {
    return parseArgs({ options: flags }).values;
  } catch {
    return undefined;
  }
}

function parseList(list, path) {
  const byId = new Map();
  for (const statement of list.statements) {
    const sound = LEVELS.has(statement.level) && BINDS.has(statement.binds) && statement.paraphrase?.length > 0;
    if (!sound || byId.has(statement.id)) throw new Error(`${path}: ${statement.id} is incomplete or listed twice`);
    byId.set(statement.id, statement);
  }
  return { standard: list.standard, byId };
}

/** Two ids of MQTT 3.1.1 are misprinted in the standard; either spelling may be cited. */
function resolvePrinted(found, lists) {
  for (const list of lists) {
    const statement = [...list.byId.values()].find(({ printed }) => printed === found.id);
    if (statement) return { ...found, id: statement.id, standard: list.standard };
  }
  return found;
}

function sourceFiles(root) {
  const packages = entries(root, 'packages').filter((entry) => entry.isDirectory());
  return [
    ...packages.flatMap((entry) => filesUnder(root, join('packages', entry.name, 'src'), '.ts')),
    ...filesUnder(root, 'test', '.ts'),
    ...filesUnder(root, 'vectors', '.json'),
  ];
}

function entries(root, folder) {
  try {
    return readdirSync(join(root, folder), { withFileTypes: true });
  } catch (error) {
    if (error.code === 'ENOENT') return [];
    throw error;
  }
}

function filesUnder(root, folder, ending) {
  return entries(root, folder)
    .sort((a, b) => (a.name < b.name ? -1 : 1))
    .flatMap((entry) => {
      const path = join(folder, entry.name);
      if (entry.isDirectory()) return entry.name === 'node_modules' ? [] : filesUnder(root, path, ending);
      return entry.name.endsWith(ending) ? [path.split(sep).join('/')] : [];
    });
}

function compare(lists, exceptions, citations) {
  const unknown = citations.filter((c) => !lists.some((list) => speaksOf(c, list) && list.byId.has(c.id)));
  const standards = lists.map((list) => {
    const excepted = exceptions.filter((e) => e.standard === list.standard).map((e) => e.id);
    return compareOne(
      list,
      excepted,
      citations.filter((c) => speaksOf(c, list)),
      lists,
    );
  });
  return { format: 1, standards, unknown, exceptions: exceptions.length, faults: faults(lists, exceptions, standards) };
}

function speaksOf(cited, list) {
  return cited.standard === undefined || cited.standard === list.standard;
}

function compareOne(list, excepted, citations) {
  const titled = new Set(citations.filter((c) => c.kind === 'title').map((c) => c.id));
  const titledForThis = new Set(citations.filter((c) => c.kind === 'title' && c.standard).map((c) => c.id));
  const inCode = new Set(citations.filter((c) => c.kind === 'code').map((c) => c.id));
  const ids = [...list.byId.keys()];
  const duties = ids.filter((id) => list.byId.get(id).binds !== 'client');
  return {
    standard: list.standard,
    statements: ids.length,
    serverDuties: duties.length,
    citedByTest: ids.filter((id) => titled.has(id)),
    citedByNoTest: ids.filter((id) => !titled.has(id)),
    citedByNeitherCodeNorTest: ids.filter((id) => !titled.has(id) && !inCode.has(id)),
    excepted,
    missing: duties.filter((id) => !titled.has(id) && !excepted.includes(id)),
    onUnmarkedTitlesOnly: duties.filter((id) => list.byId.get(id).differs && titled.has(id) && !titledForThis.has(id)),
  };
}

/** What is wrong with the exceptions themselves, one sentence each. */
function faults(lists, exceptions, standards) {
  const found = [];
  if (exceptions.length > EXCEPTIONS_MAX)
    found.push(`${exceptions.length} exceptions, at most ${EXCEPTIONS_MAX} are allowed`);
  const seen = new Set();
  for (const { standard, id, reason } of exceptions) {
    const name = `exception ${standard} ${id}`;
    if (seen.has(name)) found.push(`${name}: listed twice`);
    seen.add(name);
    if (!lists.find((list) => list.standard === standard)?.byId.has(id)) found.push(`${name}: no such statement`);
    if (typeof reason !== 'string' || reason.trim().length < EXCEPTION_REASON_CHARACTERS_MIN)
      found.push(`${name}: a reason of at least ${EXCEPTION_REASON_CHARACTERS_MIN} characters is due`);
    if (standards.find((s) => s.standard === standard)?.citedByTest.includes(id))
      found.push(`${name}: a test title cites it; drop the exception, or say in the title which standard is meant`);
  }
  return found;
}

function exitCode(report, strict) {
  if (report.unknown.length > 0) return 1;
  const lacking = report.faults.length > 0 || report.standards.some((s) => s.missing.length > 0);
  return strict && lacking ? 1 : 0;
}

function render(report) {
  const parts = report.standards.flatMap((s) => [
    `MQTT ${s.standard}: ${s.statements} statements, ${s.serverDuties} bind a server; a test cites ${s.citedByTest.length}`,
    section('server duties without test or exception', s.missing),
    section('cited by no test', s.citedByNoTest),
    section('cited by neither code nor test', s.citedByNeitherCodeNorTest),
    section('excepted', s.excepted),
    section(
      'the other standard means something else by them, and no title says which is meant',
      s.onUnmarkedTitlesOnly,
    ),
  ]);
  const unknown = report.unknown.map((c) => `${c.file}:${c.line} ${c.standard ? `${c.standard} ` : ''}${c.id}`);
  return [...parts, list('error: no such statement', unknown), list('error: exceptions', report.faults)]
    .filter((part) => part !== '')
    .join('\n');
}

/** Ids of one section of the standard share a line: "3.1.2: 1 5 22". */
function section(heading, ids) {
  const groups = new Map();
  for (const id of ids) {
    const [, part, number] = /^MQTT-(.+)-(\d+)$/.exec(id) ?? [id, id, ''];
    groups.set(part, [...(groups.get(part) ?? []), number]);
  }
  return list(
    `  ${heading}: ${ids.length}`,
    [...groups].map(([part, numbers]) => `${part}: ${numbers.join(' ')}`),
  );
}

function list(heading, lines) {
  if (lines.length === 0) return '';
  return [heading, ...lines.map((line) => `    ${line}`)].join('\n');
}

process.exitCode = main();
