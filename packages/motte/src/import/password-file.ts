// password_file and psk_file: `NAME:SECRET` on each line. What stands behind the colon never leaves here but into the registry.

import { MotteError } from '@motte/admin/errors';
import { verifierOfMosquitto } from '@motte/broker/verifiers';
import { isDeviceName } from '@motte/pki/protocol';
import { IMPORT_LIMITS } from './limits.ts';
import type { ImportReport } from './report.ts';
import { type Place, readSourceLines } from './source.ts';

export interface Secret {
  readonly secret: string;
  readonly place: Place;
}

/** Hashes by user. What Motte cannot take over goes into the report. Throws MOT-1002, MOT-1004. */
export function readPasswordFile(path: string, report: ImportReport): Map<string, Secret> {
  return readSecrets(path, 'user', report, (hash) =>
    verifierOfMosquitto(hash) === undefined ? NO_HASH : { secret: hash },
  );
}

/** Keys by identity, base64. Throws MOT-1002, MOT-1004. */
export function readPskFile(path: string, report: ImportReport): Map<string, Secret> {
  return readSecrets(path, 'pre-shared key of', report, (hex) => {
    if (!/^[0-9A-Fa-f]+$/.test(hex)) return 'the key is not hexadecimal';
    if (hex.length !== KEY_DIGITS)
      return `the key has ${hex.length} hexadecimal digits, Motte takes ${KEY_DIGITS}: give it a new one with \`motte device add NAME --psk\``;
    return { secret: Buffer.from(hex, 'hex').toString('base64') };
  });
}

type Judged = { readonly secret: string } | string;

function readSecrets(path: string, what: string, report: ImportReport, judge: (text: string) => Judged) {
  const found = new Map<string, Secret>();
  for (const { text, place } of readSourceLines(path, IMPORT_LIMITS.passwordBytesMax)) {
    const colon = text.indexOf(':');
    if (text.startsWith('#') || colon === -1) continue;
    const name = text.slice(0, colon).trim();
    // Behind a further colon mosquitto reads nothing.
    const secret =
      text
        .slice(colon + 1)
        .split(':')[0]
        ?.trim() ?? '';
    if (!isDeviceName(name)) {
      report.unsupported(place, `${what} ${JSON.stringify(name)}`, NAME_FAULT);
      continue;
    }
    const judged = judge(secret);
    if (typeof judged === 'string') {
      report.unsupported(place, `${what} ${name}`, judged);
      continue;
    }
    if (found.has(name))
      report.changed(place, `${what} ${name}`, undefined, 'it stands there before: this line counts');
    found.set(name, { secret: judged.secret, place });
    if (found.size > IMPORT_LIMITS.peopleMax)
      throw new MotteError('MOT-1004', `${path}: more than ${IMPORT_LIMITS.peopleMax} names`);
  }
  return found;
}

export const NAME_FAULT =
  'names are 1 to 63 of letters, digits, dot, underscore and dash, a letter or digit first: it needs another one';
const NO_HASH =
  'the password is not hashed as mosquitto_passwd does, $6$, $7$ or $argon2id$ of no more than 128 MiB and 400 MiB in all passes';
const KEY_DIGITS = 64;
