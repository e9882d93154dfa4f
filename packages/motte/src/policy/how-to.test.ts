// What docs/how-to/write-a-policy.md shows is true.

import { readFileSync } from 'node:fs';
import { LINTS, lintPolicy, QUOTA_NAMES, runTests } from '@motte/broker/policy';
import { expect, it } from 'vitest';
import { parsePolicy } from './document.ts';

const page = readFileSync(new URL('../../../../docs/how-to/write-a-policy.md', import.meta.url), 'utf8');
const example = /```yaml\n(.*?)```/s.exec(page)?.[1] ?? '';

it('shows an example that passes its tests, with nothing found', () => {
  const policy = parsePolicy(example, 'policy.yaml');
  const { passed, failed, roles } = runTests(policy, () => undefined);
  expect({ passed, failed }).toEqual({ passed: 4, failed: [] });
  expect(lintPolicy(policy, { identities: [], listeners: [], tested: roles })).toEqual([]);
});

it('names every finding that there is, and no other', () => {
  const named = [...table('finding').matchAll(/^\| `([a-z-]+)` \|/gm)].map(([, id]) => id);
  expect(named).toEqual(Object.keys(LINTS));
});

it('names every quota there is', () => {
  expect([...table('quota').matchAll(/`(\w+)`/g)].map(([, name]) => name)).toEqual(QUOTA_NAMES);
});

/** The rows of the table whose first column has this head. */
function table(head: string): string {
  return page.split(`| ${head} |`)[1]?.split('\n\n')[0] ?? '';
}
