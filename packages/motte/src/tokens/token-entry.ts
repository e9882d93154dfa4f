// One issuer as `motte token add` records it: an entry of `identity.tokens`, checked as if it stood in motte.yaml.

import { MotteError } from '@motte/admin/errors';
import { ConfigRefused, parseText } from '../config/config.ts';
import type { TokenSettings } from '../config/settings.ts';

export type TokenEntry = Readonly<Record<string, unknown>>;

/** With every default filled in; throws MOT-0650 that names the key. */
export function parseTokenEntry(entry: TokenEntry): TokenSettings {
  try {
    const { tokens } = parseText(JSON.stringify({ identity: { tokens: [entry] } }), 'the issuer').identity;
    const [settings] = tokens;
    if (settings === undefined) throw new MotteError('MOT-0650', 'it is empty');
    return settings;
  } catch (fault) {
    if (!(fault instanceof ConfigRefused)) throw fault;
    const why = fault.mistakes.map((mistake) => `${mistake.what.replace(PLACE, '')}: ${mistake.why}`);
    throw new MotteError('MOT-0650', why.join('; ').replace(/^: /, ''));
  }
}

const PLACE = /^identity\.tokens\[0\]\.?/;
