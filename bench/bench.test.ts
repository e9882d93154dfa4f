// The benchmark's own arithmetic, the consistency of its scenarios, and the generator's refusal to leave this machine.
// The modules are plain JavaScript, so what is used of them is typed here. No measurement is a test.
import { spawnSync } from 'node:child_process';
import { existsSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, it } from 'vitest';

type Target = { metric: string; against: string; min?: number; max?: number; max20?: number };
type Scenario = {
  id: string;
  transports: string[];
  load: Record<string, unknown>;
  metrics: string[];
  targets: Target[];
};
type Outcome = { scenario: Scenario; transport: string; rounds: Record<string, Record<string, number>[]> };
type Context = { broker: string; outcomes: Outcome[]; mosquittoVersion: string };

const load = (path: string) => import(new URL(path, import.meta.url).href);
const { median, judge, remarksOf } = (await load('./runner/results.mjs')) as {
  median: (values: number[]) => number | undefined;
  judge: (outcome: Outcome, target: Target, context: Context) => { reached: string; verdict: string };
  remarksOf: (outcome: Outcome, broker: string) => string[];
};
const { SCENARIOS } = (await load('./scenarios.mjs')) as { SCENARIOS: Scenario[] };
const { compileGenerator } = (await load('./runner/generator.mjs')) as { compileGenerator: () => void };

const outcomeOf = (rounds: Outcome['rounds'], id = 'x'): Outcome => ({
  scenario: { id, transports: ['tcp'], load: {}, metrics: [], targets: [] },
  transport: 'tcp',
  rounds,
});
const contextOf = (...outcomes: Outcome[]): Context => ({ broker: 'motte', outcomes, mosquittoVersion: '2.1.3' });

describe('results', () => {
  it('take the middle of the rounds and ignore those without a figure', () => {
    expect(median([3, Number.NaN, 1, 2])).toBe(2);
    expect(median([4, 1])).toBe(2.5);
    expect(median([])).toBeUndefined();
  });

  it('compare round by round, so that a slow moment of the machine cancels out', () => {
    const rounds = {
      mosquitto: [{ rate: 10 }, { rate: 100 }, { rate: 50 }],
      motte: [{ rate: 20 }, { rate: 200 }, { rate: 50 }],
    };
    const outcome = outcomeOf(rounds);
    const target = { metric: 'rate', against: 'mosquitto', min: 1.2 };
    expect(judge(outcome, target, contextOf(outcome))).toMatchObject({ reached: '2.00', verdict: 'met' });
  });

  it('do not count throughput that the generator limits on either side', () => {
    const outcome = outcomeOf({ mosquitto: [{ rate: 1, load_busy: 0.9 }], motte: [{ rate: 9, load_busy: 0.2 }] });
    const target = { metric: 'rate', against: 'mosquitto', min: 1.2 };
    expect(judge(outcome, target, contextOf(outcome)).verdict).toBe('not counted');
  });

  it('hold a stricter CPU limit against Mosquitto 2.0', () => {
    const outcome = outcomeOf({ mosquitto: [{ cpu_us_per_message: 10 }], motte: [{ cpu_us_per_message: 5 }] });
    const target = { metric: 'cpu_us_per_message', against: 'mosquitto', max: 0.7, max20: 0.35 };
    expect(judge(outcome, target, contextOf(outcome)).verdict).toBe('met');
    expect(judge(outcome, target, { ...contextOf(outcome), mosquittoVersion: '2.0.11' }).verdict).toBe('missed');
  });

  it('compare with another scenario of the same broker where the target says so', () => {
    const small = outcomeOf({ motte: [{ cpu_us_per_message: 2 }] }, 'small');
    const large = outcomeOf({ motte: [{ cpu_us_per_message: 3 }] }, 'large');
    const target = { metric: 'cpu_us_per_message', against: 'small', max: 1.3 };
    expect(judge(large, target, contextOf(small, large))).toMatchObject({ reached: '1.50', verdict: 'missed' });
    expect(judge(large, target, contextOf(large)).verdict).toBe('not measured');
  });

  it('name losses and a machine that was not quiet', () => {
    const outcome = outcomeOf({ motte: [{ lost: 7, misordered: 0, other_busy: 0.9 }] });
    expect(remarksOf(outcome, 'motte')).toEqual(['7 lost', expect.stringContaining('90 % of a core')]);
  });
});

describe('scenarios', () => {
  const keys = SCENARIOS.flatMap(({ id, transports }) => transports.map((transport) => `${id} ${transport}`));

  it('have one name per transport', () => {
    expect(new Set(keys).size).toBe(keys.length);
  });

  it('show the figures their targets are about and compare only with what is measured', () => {
    for (const { id, transports, metrics, targets } of SCENARIOS) {
      for (const { metric, against } of targets) {
        expect(metrics, id).toContain(metric);
        if (against === 'mosquitto' || against === 'absolute') continue;
        for (const transport of transports) expect(keys, id).toContain(`${against} ${transport}`);
      }
    }
  });
});

// Compiled only where the benchmark could run: it needs a C compiler and OpenSSL's headers.
const canCompile =
  existsSync('/usr/include/openssl/ssl.h') && spawnSync(process.env['CC'] ?? 'cc', ['--version']).status === 0;

describe.skipIf(!canCompile)('generator', () => {
  it('refuses every address that is not loopback, and numbers out of bounds', () => {
    compileGenerator();
    const program = fileURLToPath(new URL('./build/load', import.meta.url));
    for (const parameters of [
      ['--host', '10.0.0.1', '--port', '1883'],
      ['--host', '0.0.0.0', '--port', '1883'],
      ['--port', '1883', '--mode', 'idle', '--idle', '1000000'],
      ['--port', '1883', '--max-seconds', '1e9'],
    ]) {
      const { status, stderr } = spawnSync(program, parameters, { encoding: 'utf8' });
      expect(status, stderr).toBe(2);
    }
  });
});
