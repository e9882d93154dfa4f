// The passphrase of the CA keys, asked for at a terminal: a real one, made by Python's pty. Where standard input is none, nobody is
// asked and the error says so.

import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeEach, expect, it, vi } from 'vitest';
import { motte } from '../../packages/motte/src/testing/program.ts';
import { describeWith } from '../interop/counterparts.ts';
import { ENTRY } from '../restart/program.ts';

const folder = mkdtempSync(join(tmpdir(), 'motte-asked-'));
const SECRET = 'words that nobody guesses';
const KNOWN = 'passphrase of the CA keys: ';
const NEW = ['new passphrase of the CA keys: ', 'the same again: '] as const;
let data: string;
let count = 0;

// scrypt takes its time on purpose.
vi.setConfig({ testTimeout: 120_000 });

beforeEach(() => {
  data = join(folder, String(++count));
  mkdirSync(data, { mode: 0o700 });
  mkdirSync(join(data, 'pki'), { mode: 0o700 });
  writeFileSync(
    join(data, 'motte.yaml'),
    'listeners: [{ name: devices, url: "mqtts://127.0.0.1:0" }]\nconsole: off\nenrol: off\n',
  );
  writeFileSync(join(data, 'pki', 'authority.yaml'), 'passphrase: ask\n', { mode: 0o600 });
});
afterAll(() => rmSync(folder, { recursive: true, force: true }));

interface Seen {
  /** All that was on the terminal. */
  readonly text: string;
  readonly exit: number;
}

/** Runs it on a terminal; types each answer when its question is there, and ends it with an interrupt once it says `until`. */
function atTerminal(
  args: readonly string[],
  answers: readonly (readonly [string, string])[],
  until?: string,
): Promise<Seen> {
  const script = JSON.stringify({
    argv: [process.execPath, ENTRY, ...args, '--data', data],
    answers,
    until: until ?? null,
  });
  const child = spawn('/usr/bin/python3', ['-c', SCRIPT, script], { stdio: ['ignore', 'pipe', 'inherit'] });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (part: string) => (text += part));
  return new Promise((resolve) => {
    child.once('close', (code) => resolve({ text, exit: code ?? -1 }));
  });
}

const key = (): string => readFileSync(join(data, 'pki', 'ca', 'issuing.key'), 'utf8');
const twice = (first: string, second = first) =>
  [
    [NEW[0], first],
    [NEW[1], second],
  ] as const;
const start = (answers: readonly (readonly [string, string])[]) =>
  atTerminal(['start'], answers, 'every listener accepts connections');

describeWith(['python3'], 'passphrase: ask', () => {
  it('is asked for twice at the first start and once at the next, and is nowhere to be seen', async () => {
    const first = await start(twice(SECRET));
    expect(first).toMatchObject({ exit: 0, text: expect.stringContaining(NEW[1]) });
    expect(key()).toMatch(/^-----BEGIN AGE ENCRYPTED FILE/);
    const second = await start([[KNOWN, SECRET]]);
    expect(second.exit).toBe(0);
    expect(second.text).not.toContain(NEW[0]);
    for (const { text } of [first, second]) expect(text).not.toContain(SECRET);
  });

  it('a command is asked as well while no broker runs', async () => {
    await start(twice(SECRET));
    const seen = await atTerminal(['device', 'add', 'pump-1', '--out', join(folder, 'pump-1')], [[KNOWN, SECRET]]);
    expect(seen).toMatchObject({ exit: 0, text: expect.stringContaining('device pump-1 is enrolled') });
  });

  it.each([
    ['another one', [[KNOWN, 'words that somebody guesses']], 'the passphrase does not open it'],
    ['Ctrl-C', [[KNOWN, '\u0003']], 'none was given at the terminal'],
  ] as const)('%s: nothing starts, one line says why', async (_, answers, why) => {
    await start(twice(SECRET));
    const { exit, text } = await atTerminal(['start'], answers);
    expect(exit).toBe(4);
    expect(text).toContain(`${why} (MOT-0476)`);
  });

  it.each([
    [twice(SECRET, `${SECRET}!`), 'the two that were typed differ'],
    [[[NEW[0], 'too short']], 'the passphrase has less than 12 characters'],
  ] as const)('a new one that is no good makes no CA: %j', async (answers, why) => {
    const { exit, text } = await atTerminal(['start'], answers);
    expect(exit).toBe(4);
    expect(text).toContain(`${why} (MOT-0476)`);
    expect(() => key()).toThrow('ENOENT');
  });

  it('without a terminal nobody is asked: a start, a command and a service say so', async () => {
    const sockets = join(data, 'sockets');
    mkdirSync(sockets);
    chmodSync(sockets, 0o700);
    const none = { exit: 4, out: '', err: expect.stringMatching(/there is no terminal to ask for it on \(MOT-0476\)/) };
    expect(await motte(['start', '--data', data])).toMatchObject(none);
    expect(await motte(['authority', '--data', data, '--sockets', sockets])).toMatchObject(none);
    await start(twice(SECRET));
    expect(await motte(['device', 'add', 'pump-2', '--data', data, '--out', join(folder, 'pump-2')])).toMatchObject(
      none,
    );
  });
});

const SCRIPT = `
import json, os, pty, select, signal, sys
what = json.loads(sys.argv[1])
pid, terminal = pty.fork()
if pid == 0:
    # As a shell at a terminal leaves it: whoever runs these tests in the background ignores it, and that is inherited.
    signal.signal(signal.SIGINT, signal.SIG_DFL)
    os.execv(what['argv'][0], what['argv'])
seen, answers, until = b'', list(what['answers']), what['until']
mark = 0
while True:
    try:
        part = os.read(terminal, 4096)
    except OSError:
        break
    if not part:
        break
    seen += part
    sys.stdout.buffer.write(part)
    sys.stdout.buffer.flush()
    while answers and answers[0][0].encode() in seen[mark:]:
        mark = seen.index(answers[0][0].encode(), mark) + len(answers[0][0])
        typed = answers.pop(0)[1]
        os.write(terminal, (typed if typed == '\\x03' else typed + '\\r').encode())
    if until and until.encode() in seen:
        until = None
        os.kill(pid, signal.SIGTERM)
sys.exit(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
`;
