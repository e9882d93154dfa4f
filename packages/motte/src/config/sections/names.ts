// Keys that several sections share: names of this broker's, and files beside motte.yaml.

import { list, type Notes, text } from '../setting.ts';

export const NAME_PATTERN = '^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$';

/** The names that an authority or issuer may prove. */
export function provableNames(whose: string) {
  const entry = text('^[A-Za-z0-9][A-Za-z0-9._-]{0,62}\\*?$', 'a name, or `BEGINNING*` for all that begin so', {
    says: 'One name, or a beginning.',
    breaks: 'Nothing.',
    applies: 'now',
  });
  return list(entry, undefined, {
    says: `The names that ${whose} may prove; without it any name of its own realm.`,
    breaks: 'It may take any name.',
    applies: 'now',
  });
}

/** The path of a PEM file. */
export function pemFile(notes: Notes) {
  return text('^[^\\0]+$', 'the path of a PEM file; a relative one is taken from the directory of motte.yaml', notes);
}
