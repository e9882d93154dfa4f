import { describe, expect, it } from 'vitest';
import { memoryBudget, writeBuffer } from './memory-budget.ts';

const GIB = 1024 ** 3;

function budgetOf(files: Readonly<Record<string, string>>, total = 8 * GIB): number {
  return memoryBudget((path) => files[path], total) / GIB;
}

describe('the memory budget', () => {
  it('is half of the machine where no control group says less', () => {
    expect(budgetOf({})).toBe(4);
    expect(budgetOf({ '/proc/self/cgroup': '0::/\n' })).toBe(4);
    expect(
      budgetOf({ '/proc/self/cgroup': '0::/motte.service\n', '/sys/fs/cgroup/motte.service/memory.max': 'max\n' }),
    ).toBe(4);
  });

  it('is half of what version 2 of control groups allows, whichever group on the way says least', () => {
    const own = { '/proc/self/cgroup': '0::/system.slice/motte.service\n' };
    expect(budgetOf({ ...own, '/sys/fs/cgroup/system.slice/motte.service/memory.max': `${GIB}\n` })).toBe(0.5);
    const both = {
      '/sys/fs/cgroup/system.slice/motte.service/memory.max': `${2 * GIB}\n`,
      '/sys/fs/cgroup/system.slice/memory.max': `${GIB}\n`,
    };
    expect(budgetOf({ ...own, ...both })).toBe(0.5);
    // In a container the group is mounted as the root.
    expect(budgetOf({ ...own, '/sys/fs/cgroup/memory.max': `${GIB}\n` })).toBe(0.5);
  });

  it('is half of what version 1 of control groups allows', () => {
    const own = { '/proc/self/cgroup': '11:cpu,cpuacct:/docker/x\n7:memory:/docker/x\n1:name=systemd:/y\n' };
    expect(budgetOf({ ...own, '/sys/fs/cgroup/memory/docker/x/memory.limit_in_bytes': `${GIB}\n` })).toBe(0.5);
    expect(budgetOf({ ...own, '/sys/fs/cgroup/memory/memory.limit_in_bytes': `${GIB}\n` })).toBe(0.5);
    // What stands there for no limit.
    expect(budgetOf({ ...own, '/sys/fs/cgroup/memory/docker/x/memory.limit_in_bytes': '9223372036854771712\n' })).toBe(
      4,
    );
  });

  it('is not misled by what cannot be read as a limit', () => {
    const own = { '/proc/self/cgroup': 'nonsense\n0::/a\n' };
    for (const text of ['', '-1', '1e3', 'max', ' '])
      expect(budgetOf({ ...own, '/sys/fs/cgroup/a/memory.max': text })).toBe(4);
  });
});

describe('what the store gathers writes in', () => {
  it('is a sixteenth of the budget, and no more than 64 MiB', () => {
    expect(writeBuffer(GIB / 4) / GIB).toBe(1 / 64);
    expect(writeBuffer(64 * GIB) / GIB).toBe(1 / 16);
  });
});
