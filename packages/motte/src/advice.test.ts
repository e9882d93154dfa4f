// What `motte why` advises against the commands that there are.

import { allAdvice } from '@motte/broker/observe';
import { expect, it } from 'vitest';
import { describeCommands } from './describe-commands.ts';

it('every command and option that an advice names is there', async () => {
  const commands = await describeCommands();
  const named = [...allAdvice()].flatMap((advice) =>
    [...advice.matchAll(/`motte ([^`]+)`/g)].map(([, text = '']) => text),
  );
  expect(named.length).toBeGreaterThan(20);
  for (const text of named) {
    const words = text.split(' ');
    const found = commands.find(({ usage }) => {
      const [, ...own] = usage.split(' ').filter((word) => !/^[<[]/.test(word));
      return own.length > 0 && own.every((word, i) => words[i] === word);
    });
    expect(found, text).toBeDefined();
    for (const option of words.filter((word) => word.startsWith('--'))) {
      if (option === '--json') continue;
      expect(
        found?.options.some(([flags]) => flags.split(/[ ,]+/).includes(option)),
        `${text}: ${option}`,
      ).toBe(true);
    }
  }
});
