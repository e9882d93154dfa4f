// Finds the rule ids that a file cites, and how: in a test title, in product code, or merely in a test's body.
// Knows enough of TypeScript's surface to tell strings from comments; knows nothing of the lists in spec/.

/** A rule id as it should look. Looser than that, so that misspelt ones (MQTT-3.1.2.7) are found and reported. */
const ID = /(?:\b(3\.1\.1|5\.0) )?\b(MQTT-\d+(?:[.-]\d+){3,})/g;
const TEST_CALL = /(?<![.\w$])(?:it|test|describe|suite)((?:\s*\.\s*\w+)*)(?:<[^()]*>)?\s*(?=[(\uE000])/g;
const TITLE_PROPERTY = /(?<![.\w$])title\s*:\s*(?=\uE000)/g;
const NOT_RUN = /\b(?:skip|todo|fails)\b/;
const TAKES_ARGUMENTS_FIRST = /\b(?:each|for|skipIf|runIf|extend)\b/;

/**
 * @typedef {'title' | 'code' | 'mention'} Kind
 * @typedef {{ id: string, standard: '3.1.1' | '5.0' | undefined, kind: Kind, file: string, line: number }} Citation
 */

/** Every citation in one file; `file` is its path from the root, with forward slashes. @returns {Citation[]} */
export function citationsIn(file, text) {
  return file.endsWith('.json') ? vectorCitations(file, text) : sourceCitations(file, text);
}

function sourceCitations(file, text) {
  const inTests = file.startsWith('test/') || file.endsWith('.test.ts');
  const { skeleton, strings } = dissect(text);
  const titles = titleStarts(skeleton, inTests);
  const found = [];
  for (const match of text.matchAll(ID)) {
    const holder = strings.find((s) => s.start <= match.index && match.index < s.end);
    const title = holder && titles.has(holder.start) ? text.slice(holder.start, holder.end) : undefined;
    const kind = title !== undefined ? 'title' : inTests ? 'mention' : 'code';
    found.push(citation(match, { file, kind, line: lineAt(text, match.index), title }));
  }
  return found;
}

function citation(match, { file, kind, line, title }) {
  return { id: match[2], standard: match[1] ?? byFolder(file) ?? byTitle(title), kind, file, line };
}

function byFolder(file) {
  if (file.startsWith('test/conformance/mqtt311/')) return '3.1.1';
  if (file.startsWith('test/conformance/mqtt5/')) return '5.0';
  return undefined;
}

/** A title that names one version in words speaks of that one; one that names both, or none, of whichever has the id. */
function byTitle(title) {
  if (title === undefined) return undefined;
  const words = title.replaceAll(/MQTT-[\d.-]+/g, '');
  const old = /(?<![\d.])3\.1\.1(?![\d.])/.test(words);
  const five = /(?<![\d.])5\.0(?![\d.])|\bMQTT 5\b/.test(words);
  return old === five ? undefined : old ? '3.1.1' : '5.0';
}

/** Offsets at which the title of a test that runs begins; what stands in a skipped call does not run. */
function titleStarts(skeleton, inTests) {
  const starts = new Set();
  let skippedTo = 0;
  for (const match of skeleton.matchAll(TEST_CALL)) {
    if (match.index < skippedTo) continue;
    let at = match.index + match[0].length;
    if (TAKES_ARGUMENTS_FIRST.test(match[1])) at = skipBlank(skeleton, afterArguments(skeleton, at));
    if (skeleton[at] !== '(') continue;
    if (NOT_RUN.test(match[1])) {
      skippedTo = afterArguments(skeleton, at);
      continue;
    }
    const first = skipBlank(skeleton, at + 1);
    if (skeleton[first] === '\uE000') starts.add(first);
  }
  if (inTests) for (const match of skeleton.matchAll(TITLE_PROPERTY)) starts.add(match.index + match[0].length);
  return starts;
}

function skipBlank(skeleton, at) {
  while (/\s/.test(skeleton[at] ?? '')) at++;
  return at;
}

/** The offset behind a balanced `(…)` or, for a tagged template, behind the template. */
function afterArguments(skeleton, at) {
  if (skeleton[at] === '\uE000') {
    do at++;
    while (skeleton[at] === '\uE001');
    return at;
  }
  let depth = 0;
  for (; at < skeleton.length; at++) {
    if (skeleton[at] === '(') depth++;
    if (skeleton[at] === ')' && --depth === 0) return at + 1;
  }
  return at;
}

/**
 * Splits source text into strings and the rest. The skeleton has the text's length: a string is U+E000 followed by
 * U+E001s, comments and regular expressions are blank, so that brackets and words in it are code and nothing else.
 */
function dissect(text) {
  const skeleton = text.split('');
  const strings = [];
  const blank = (from, to) => {
    for (let i = from; i < to; i++) if (skeleton[i] !== '\n') skeleton[i] = ' ';
  };
  for (let at = 0; at < text.length; ) {
    const end = tokenEnd(text, at, skeleton);
    const kind = text[at];
    if (end === at) at++;
    else if (kind === '/') {
      blank(at, end);
      at = end;
    } else {
      skeleton.fill('\uE001', at, end);
      skeleton[at] = '\uE000';
      strings.push({ start: at, end });
      at = end;
    }
  }
  return { skeleton: skeleton.join(''), strings };
}

/** The end of the comment, regular expression or string that begins at `at`, or `at` if none does. */
function tokenEnd(text, at, skeleton) {
  const c = text[at];
  if (c === "'" || c === '"') return quotedEnd(text, at, c);
  if (c === '`') return templateEnd(text, at);
  if (c !== '/') return at;
  if (text[at + 1] === '/') return behind(text, '\n', at);
  if (text[at + 1] === '*') return behind(text, '*/', at + 2);
  return regexMayStart(skeleton, at) ? regexEnd(text, at) : at;
}

function behind(text, mark, from) {
  const found = text.indexOf(mark, from);
  return found === -1 ? text.length : found + mark.length;
}

function quotedEnd(text, at, quote) {
  for (let i = at + 1; i < text.length; i++) {
    if (text[i] === '\\') i++;
    else if (text[i] === quote || text[i] === '\n') return i + 1;
  }
  return text.length;
}

function templateEnd(text, at) {
  for (let i = at + 1; i < text.length; i++) {
    if (text[i] === '\\') i++;
    else if (text[i] === '`') return i + 1;
    else if (text[i] === '$' && text[i + 1] === '{') i = holeEnd(text, i + 2) - 1;
  }
  return text.length;
}

/** The offset behind the brace that closes a template's `${`. */
function holeEnd(text, at) {
  let depth = 1;
  while (at < text.length) {
    const c = text[at];
    if (c === "'" || c === '"') at = quotedEnd(text, at, c);
    else if (c === '`') at = templateEnd(text, at);
    else {
      if (c === '{') depth++;
      if (c === '}' && --depth === 0) return at + 1;
      at++;
    }
  }
  return at;
}

/** A slash divides after a value and opens a regular expression anywhere else. */
function regexMayStart(skeleton, at) {
  let before = at - 1;
  while (before >= 0 && /\s/.test(skeleton[before])) before--;
  if (before < 0) return true;
  if (/[)\]}\uE000\uE001]/.test(skeleton[before])) return false;
  if (!/[\w$]/.test(skeleton[before])) return true;
  const word = /[\w$]+$/.exec(skeleton.slice(Math.max(0, before - 11), before + 1).join(''));
  return /^(?:return|typeof|case|in|of|void|delete)$/.test(word?.[0] ?? '');
}

function regexEnd(text, at) {
  let inClass = false;
  for (let i = at + 1; i < text.length && text[i] !== '\n'; i++) {
    if (text[i] === '\\') i++;
    else if (text[i] === '[') inClass = true;
    else if (text[i] === ']') inClass = false;
    else if (text[i] === '/' && !inClass) return i + 1;
  }
  return at;
}

/** The `rules` of a vector become titles of the tests that run it; ids elsewhere in it are mentions. */
function vectorCitations(file, text) {
  const titled = new Map();
  walkRules(JSON.parse(text), undefined, (rule, standard) => {
    for (const match of rule.matchAll(ID))
      titled.set(match[0], [...(titled.get(match[0]) ?? []), match[1] ?? standard]);
  });
  const found = [];
  for (const match of text.matchAll(ID)) {
    const standards = titled.get(match[0]);
    const at = { file, line: lineAt(text, match.index), title: undefined };
    if (!standards?.length) found.push(citation(match, { ...at, kind: 'mention' }));
    else found.push({ ...citation(match, { ...at, kind: 'title' }), standard: standards.shift() });
  }
  return found;
}

function walkRules(node, standard, visit) {
  if (Array.isArray(node)) for (const item of node) walkRules(item, standard, visit);
  else if (node !== null && typeof node === 'object') {
    const own = standardOfVector(node) ?? standard;
    for (const [key, value] of Object.entries(node)) {
      if (key === 'rules') for (const rule of [value].flat()) visit(String(rule), own);
      else walkRules(value, own, visit);
    }
  }
}

/** A vector for one protocol version (3 and 4 obey MQTT 3.1.1) speaks of that version's standard. */
function standardOfVector(node) {
  const versions = [node.versions ?? node.version ?? []].flat();
  if (versions.length === 0) return undefined;
  if (versions.every((v) => v === 5 || v === '5.0')) return '5.0';
  if (versions.every((v) => v === 3 || v === 4 || v === '3.1' || v === '3.1.1')) return '3.1.1';
  return undefined;
}

function lineAt(text, index) {
  let line = 1;
  for (let i = text.indexOf('\n'); i !== -1 && i < index; i = text.indexOf('\n', i + 1)) line++;
  return line;
}
