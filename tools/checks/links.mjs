// Every link in a Markdown file that points into the tree leads to a file, and to a heading where it names one.
import { existsSync, readFileSync, statSync } from 'node:fs';
import { dirname, join, relative, resolve } from 'node:path';
import { ownFiles, rootFromArguments, tell } from './findings.mjs';

const LINK = /!?\[[^\]]*\]\(\s*<?([^)\s>]+)>?(?:\s+"[^"]*")?\s*\)/g;
const DEFINITION = /^\s*\[[^\]]+\]:\s*<?(\S+?)>?(?:\s|$)/gm;
const ELSEWHERE = /^(?:[a-z][a-z+.-]*:|\/\/)/i;

/** @param {string} text Markdown. @returns {string} the same without code, in which a bracket is no link */
function withoutCode(text) {
  return text.replace(/^(\s*)(```|~~~)[\s\S]*?^\s*\2/gm, '').replace(/(`+)[^\n]*?\1/g, '');
}

/** The anchors that a page's headings get, as the usual viewers spell them. */
function anchorsOf(text) {
  const seen = new Map();
  return new Set(
    [...text.replace(/^(```|~~~)[\s\S]*?^\1/gm, '').matchAll(/^#{1,6}\s+(.+?)\s*#*$/gm)].map(([, heading]) => {
      const plain = heading.replace(/\[([^\]]*)\]\([^)]*\)/g, '$1').toLowerCase();
      const slug = plain.replace(/[^\p{L}\p{N}\s_-]/gu, '').replace(/\s/g, '-');
      const before = seen.get(slug) ?? 0;
      seen.set(slug, before + 1);
      return before === 0 ? slug : `${slug}-${before}`;
    }),
  );
}

function problemOf(root, page, link) {
  const [path, anchor] = link.split('#');
  const target = path === '' ? join(root, page) : resolve(root, dirname(page), decodeURIComponent(path));
  if (relative(root, target).startsWith('..')) return 'leads out of the tree';
  if (!existsSync(target)) return 'leads nowhere';
  if (anchor && statSync(target).isFile() && target.endsWith('.md')) {
    if (!anchorsOf(readFileSync(target, 'utf8')).has(anchor)) return 'names a heading that is not there';
  }
  return undefined;
}

const root = resolve(rootFromArguments());
const findings = [];
const pages = ownFiles(root).filter((path) => path.endsWith('.md'));
let links = 0;
for (const page of pages) {
  const text = withoutCode(readFileSync(join(root, page), 'utf8'));
  for (const [, link] of [...text.matchAll(LINK), ...text.matchAll(DEFINITION)]) {
    if (ELSEWHERE.test(link)) continue;
    links += 1;
    const problem = problemOf(root, page, link);
    if (problem) findings.push(`${page}: ${link}: ${problem}`);
  }
}
tell(findings, `${links} links in ${pages.length} pages lead to a file`);
