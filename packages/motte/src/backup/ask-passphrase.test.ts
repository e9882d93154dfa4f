import { EventEmitter } from 'node:events';
import { expect, it } from 'vitest';
import { askPassphrase, type Terminal } from './ask-passphrase.ts';

/** A terminal that writes down what is done to it, in order; whoever sits there answers the moment the question is seen. */
function terminal(answer: string): { terminal: Terminal; done: string[] } {
  const done: string[] = [];
  const input = Object.assign(new EventEmitter(), {
    isTTY: true,
    setRawMode: (on: boolean) => done.push(`echo ${on ? 'off' : 'on'}`),
    resume: () => done.push('read'),
    pause: () => done.push('rest'),
  });
  const output = {
    write(text: string) {
      done.push(text);
      if (text !== '\n') queueMicrotask(() => input.emit('data', answer));
    },
  };
  return { terminal: { input, output }, done };
}

it('shows the question once what is typed is not shown any more', async () => {
  const { terminal: at, done } = terminal('secret\r');
  expect(await askPassphrase(at, 'passphrase: ')).toBe('secret');
  expect(done).toEqual(['echo off', 'read', 'passphrase: ', 'echo on', 'rest', '\n']);
});

it.each([
  ['sec\u007f\u007f\u007fwords\r', 'words'],
  ['\u007fa\bb\n', 'b'],
  ['gr\u00fcn\u007f\u{1F511}\r', 'gr\u00fc\u{1F511}'],
  ['\u001bx\r', 'x'],
])('reads %j as it was meant', async (typed, meant) => {
  expect(await askPassphrase(terminal(typed).terminal, '? ')).toBe(meant);
});

it.each(['\u0003', 'half\u0004'])('is refused with %j, and the terminal is as it was', async (typed) => {
  const { terminal: at, done } = terminal(typed);
  await expect(askPassphrase(at, '? ')).rejects.toMatchObject({ code: 'MOT-0002' });
  expect(done.slice(-3)).toEqual(['echo on', 'rest', '\n']);
});
