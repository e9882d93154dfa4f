// Asks for a passphrase on the terminal without showing it. Only where somebody can answer.

import { MotteError } from '@motte/admin/errors';

export interface Terminal {
  readonly input: {
    readonly isTTY?: boolean;
    setRawMode?(on: boolean): unknown;
    on(event: 'data', listener: (chunk: Buffer | string) => void): unknown;
    off(event: 'data', listener: (chunk: Buffer | string) => void): unknown;
    resume(): unknown;
    pause(): unknown;
  };
  readonly output: { write(text: string): unknown };
}

/** What was typed up to Enter; throws MOT-0002 where no terminal is, or Ctrl-C was typed. */
export function askPassphrase(terminal: Terminal, question: string): Promise<string> {
  const { input, output } = terminal;
  if (input.isTTY !== true) throw new MotteError('MOT-0002', 'there is no terminal to ask for a passphrase on');
  // Before the question is seen: whoever answers at once would see the answer on the terminal, and Ctrl-C would be a signal.
  input.setRawMode?.(true);
  input.resume();
  output.write(question);
  return new Promise((resolve, reject) => {
    let typed = '';
    const finish = (settle: () => void): void => {
      input.off('data', onData);
      input.setRawMode?.(false);
      input.pause();
      output.write('\n');
      settle();
    };
    const onData = (chunk: Buffer | string): void => {
      for (const character of chunk.toString()) {
        if (character === '\r' || character === '\n') return finish(() => resolve(typed));
        if (character === CTRL_C || character === CTRL_D) {
          return finish(() => reject(new MotteError('MOT-0002', 'no passphrase was given')));
        }
        if (character === '\u007f' || character === '\b') typed = [...typed].slice(0, -1).join('');
        else if (character >= ' ') typed += character;
      }
    };
    input.on('data', onData);
  });
}

const CTRL_C = '\u0003';
const CTRL_D = '\u0004';
