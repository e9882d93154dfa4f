// The passphrase of the CA keys from a person: asked once for a running authority, twice typed where it is new, and kept in memory
// for a CA that replaces this one. How somebody is asked is the caller's business.

import { AuthorityFault } from '../protocol/faults.ts';

/** What was typed without being shown; rejects where it is taken back. */
export type AskPassphrase = (question: string) => Promise<string>;

/** Without a way to ask it rejects with MOT-0476 when the passphrase is needed. */
export function askOnce(ask: AskPassphrase | undefined): (which: 'new' | 'known') => Promise<string> {
  let known: Promise<string> | undefined;
  const answer = async (question: string): Promise<string> => {
    if (ask === undefined) throw new AuthorityFault('MOT-0476', 'there is no terminal to ask for it on');
    try {
      return await ask(question);
    } catch (cause) {
      throw new AuthorityFault('MOT-0476', 'none was given at the terminal', { cause });
    }
  };
  const get = async (which: 'new' | 'known'): Promise<string> => {
    if (which === 'known') return answer('passphrase of the CA keys: ');
    const typed = await answer('new passphrase of the CA keys: ');
    if (typed.length < PASSPHRASE_CHARACTERS_MIN) throw tooShort();
    if ((await answer('the same again: ')) !== typed) {
      throw new AuthorityFault('MOT-0476', 'the two that were typed differ');
    }
    return typed;
  };
  return (which) => {
    known ??= get(which).catch((fault: unknown) => {
      // Asked again the next time.
      known = undefined;
      throw fault;
    });
    return known;
  };
}

export function tooShort(): AuthorityFault {
  return new AuthorityFault('MOT-0476', `the passphrase has less than ${PASSPHRASE_CHARACTERS_MIN} characters`);
}

export const PASSPHRASE_CHARACTERS_MIN = 12;
