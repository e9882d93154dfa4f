// One decision on every path: each story with the right and without it, in every version.

import type { ProtocolVersion } from '@motte/wire';
import { describe, expect, it } from 'vitest';
import { PATHS } from './paths.ts';
import { World } from './world.ts';

const VERSIONS: readonly ProtocolVersion[] = [3, 4, 5];

describe.each(PATHS)('$name', (path) => {
  const { versions = VERSIONS } = path;
  it.each(
    versions.flatMap((version) => [
      { version, allowed: true },
      { version, allowed: false },
    ]),
  )('version $version, allowed: $allowed', async ({ version, allowed }) => {
    const world = new World({ ...path, version, allowed });
    expect(await path.play(world)).toBe(allowed ? 'through' : 'refused');
  });
});
