// No source file grows past what a person reads in one sitting. Data, generated pages and prose are not source.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { ownFiles, rootFromArguments, tell } from './findings.mjs';

const LINES_MAX = 400;
const SOURCE = /\.(?:[cm]?[jt]s|tsx|c|h|sh|py)$/;

const root = rootFromArguments();
const sources = ownFiles(root).filter((path) => SOURCE.test(path));
const findings = sources.flatMap((path) => {
  const lines = readFileSync(join(root, path), 'utf8').split('\n').length - 1;
  return lines > LINES_MAX
    ? [`${path}: ${lines} lines, at most ${LINES_MAX}: split it along a seam a reader would name`]
    : [];
});
tell(findings, `${sources.length} source files, none over ${LINES_MAX} lines`);
