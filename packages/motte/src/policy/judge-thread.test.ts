// A policy judged in a thread is the policy judged here. The thread runs what was built.

import { POLICY_LIMITS } from '@motte/broker/policy';
import { describe, expect, it } from 'vitest';
import { PolicyRefused } from './document.ts';
import { type JudgeWorld, judgeHere } from './judge.ts';
import { judgeInThread } from './judge-thread.ts';

const BUILT = new URL('../../dist/policy/judge-thread-main.js', import.meta.url);
const WORLD: JudgeWorld = {
  registered: ({ name }) => (name === 'pump-1' ? { kind: 'device', roles: ['device'] } : undefined),
  listeners: [{ name: 'devices', role: undefined }],
};
const never = new AbortController().signal;

const WHOLE = `roles:
  device:
    quotas: { messagesPerSecond: 5, beyondRate: refuse }
    rules: [ "allow publish 'devices/\${device}/u p/#' qos<=1 no-retain", "allow all a/# from fd00::/8 via gone" ]
  operator: [ "allow all '#'", deny publish $SYS/# ]
  lab: { listenerOnly: true, rules: [ allow all line/+ ] }
groups:
  line1: { roles: [operator], members: [pump-2, ann@password, x@ca:plant] }
  line2: { roles: [], members: [] }
defaults: { user: [operator] }
tests:
  - "pump-1 may publish 'devices/pump-1/u p/x' qos=1"
  - pump-2 may publish a/b
  - pump-3 may not publish a/b
  - pump-1 may publish devices/pump-2/up/x
`;

/** One of what `data:` would import: a thread that does this instead. */
const program = (text: string) => new URL(`data:text/javascript,${encodeURIComponent(text)}`);

describe('judgeInThread', () => {
  it.each(['', WHOLE, 'roles: { r: [] }\n'])('judges %j as it is judged here', async (text) => {
    const [there, here] = await Promise.all(
      [judgeInThread(BUILT), judgeHere].map((judge) => judge({ text, file: 'p.yaml' }, WORLD, never)),
    );
    expect(there).toEqual(here);
    if (text === WHOLE) {
      expect(there?.judgement).toMatchObject({ passed: 3, failed: [{ place: 'p.yaml:15:5' }] });
      expect(there?.judgement.findings.map(({ id }) => id)).toEqual(['unknown-listener', 'wide', 'idle-group']);
    }
  });

  it('judges the largest policy, which is made again in many turns', async () => {
    const rules = Array.from({ length: POLICY_LIMITS.rulesMax }, (_, i) => `    - allow publish a/${i}/#\n`).join('');
    const tests = Array.from({ length: POLICY_LIMITS.testsMax }, (_, i) => `  - p${i} may publish a/${i}/b as r\n`);
    const source = { text: `roles:\n  r:\n${rules}tests:\n${tests.join('')}`, file: 'p.yaml' };
    let turns = 0;
    let isOver = false;
    const turn = (): void => {
      turns += 1;
      if (!isOver) setImmediate(turn);
    };
    turn();
    const { policy, judgement } = await judgeInThread(BUILT)(source, WORLD, never);
    isOver = true;
    expect([policy.roles.get('r')?.rules.length, judgement.passed]).toEqual([10_000, 5_000]);
    // Of those that waited for the thread there are thousands.
    expect(turns).toBeGreaterThan(100);
  }, 60_000);

  it('refuses with every mistake, its line and its column', async () => {
    const source = {
      text: `roles:\n  r: [allow, deny nothing]\n${'#\n'.repeat(10)}tests: [${'x, '.repeat(60)}]`,
      file: 'p.yaml',
    };
    const refusals = await Promise.all(
      [judgeInThread(BUILT), judgeHere].map((judge) => judge(source, WORLD, never).catch((fault: unknown) => fault)),
    );
    const [there, here] = refusals as PolicyRefused[];
    expect(there).toBeInstanceOf(PolicyRefused);
    expect([there?.why, there?.lines, there?.code]).toEqual([here?.why, here?.lines, here?.code]);
    expect(there?.why).toBe('62 mistakes in p.yaml');
    expect(there?.lines[0]).toContain('p.yaml:2:12: roles.r[0]');
  });

  it('of whom the registry knows the thread gets kind and roles alone, and of the environment nothing', async () => {
    const spy = program(`
      import { parentPort } from 'node:worker_threads';
      parentPort.once('message', (known) => { throw new Error(JSON.stringify([known, process.env])); });
      parentPort.postMessage({ kind: 'whom', whom: [{ realm: 'password', name: 'ann' }, { realm: 'psk', name: 'x' }] });
    `);
    const ann = { kind: 'user', roles: ['r'], verifier: { kind: 'argon2id', hash: '$argon2id$' } } as const;
    const registered: JudgeWorld['registered'] = ({ name }) => (name === 'ann' ? ann : undefined);
    const judging = judgeInThread(spy)({ text: '', file: 'p' }, { ...WORLD, registered }, never);
    await expect(judging).rejects.toMatchObject({
      code: 'MOT-0908',
      why: 'its thread failed: [[{"kind":"user","roles":["r"]},null],{}]',
    });
  });

  it.each([
    ['throws', "throw new Error('broken')", 'its thread failed: broken'],
    ['ends', 'process.exit(0)', 'its thread ended without an answer'],
    ['takes all memory', 'const all = []; for (;;) all.push(new Array(1e4).fill(all.length))', 'more memory'],
  ])('a thread that %s is an error that says so', async (_what, text, why) => {
    const judging = judgeInThread(program(text), { maxOldGenerationSizeMb: 16 })({ text: '', file: 'p' }, WORLD, never);
    await expect(judging).rejects.toMatchObject({ code: 'MOT-0908', why: expect.stringContaining(why) });
  });

  it('a thread that never answers ends when it is told to', async () => {
    const stop = new AbortController();
    const begun = `import { parentPort } from 'node:worker_threads';
      parentPort.postMessage({ kind: 'whom', whom: [{ realm: 'psk', name: 'x' }] });
      for (;;);`;
    const registered: JudgeWorld['registered'] = () => {
      stop.abort(new Error('told to'));
      return undefined;
    };
    const judging = judgeInThread(program(begun))({ text: '', file: 'p' }, { ...WORLD, registered }, stop.signal);
    await expect(judging).rejects.toThrow('told to');
    await expect(judgeInThread(BUILT)({ text: '', file: 'p' }, WORLD, stop.signal)).rejects.toThrow('told to');
  });
});
