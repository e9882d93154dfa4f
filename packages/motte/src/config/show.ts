// The effective configuration as YAML for people, each value that is weaker than the default marked where it stands.

import { printable } from '@motte/broker/printable';
import { Document, isScalar, isSeq } from 'yaml';
import type { MotteConfig } from './config.ts';
import { weakerSettings } from './weaker.ts';

/** Text that parses back into the same settings. */
export function renderConfig(config: MotteConfig): string {
  const document = new Document(config.settings, { aliasDuplicateObjects: false });
  document.commentBefore = ` ${config.file === undefined ? 'no file: every value is the default' : printable(config.file)}`;
  for (const { path, default: standard, breaks } of weakerSettings(config.settings)) {
    const node = document.getIn(path, true);
    if (isSeq(node)) node.flow = true;
    if (isScalar(node) || isSeq(node)) node.comment = ` weaker than the default (${defaultText(standard)}): ${breaks}`;
  }
  return document.toString({ lineWidth: 0 });
}

/** The same for programs. */
export function configDocument(config: MotteConfig): Record<string, unknown> {
  const weaker = weakerSettings(config.settings).map(({ path: _path, ...rest }) => rest);
  return { format: 1, file: config.file ?? null, config: config.settings, weaker };
}

function defaultText(value: unknown): string {
  return typeof value === 'string' ? value : JSON.stringify(value);
}
