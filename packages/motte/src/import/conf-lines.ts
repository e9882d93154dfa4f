// The lines of mosquitto.conf and of the files that it includes, in the order in which mosquitto reads them. Only the file
// that is named may include others; a loop there cannot be.

import { readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { MotteError } from '@motte/admin/errors';
import { said } from '../data/said.ts';
import { IMPORT_LIMITS } from './limits.ts';
import type { ImportReport } from './report.ts';
import { type Place, placeText, readSourceLines } from './source.ts';

export interface ConfLine {
  readonly key: string;
  readonly value: string;
  readonly place: Place;
}

/** The lines of one file; in each, settings begin anew with the default listener. */
export interface ConfFile {
  readonly file: string;
  readonly lines: readonly (ConfLine | ConfFile)[];
}

/** Throws MOT-1002 for what cannot be read, MOT-1004 for too much. */
export function readConf(path: string, report: ImportReport): ConfFile {
  return new ConfReader(dirname(path), report).read(path, true);
}

class ConfReader {
  readonly #directory: string;
  readonly #report: ImportReport;
  #lines = 0;
  #included = 0;

  constructor(directory: string, report: ImportReport) {
    this.#directory = directory;
    this.#report = report;
  }

  read(file: string, isMain: boolean): ConfFile {
    const lines: (ConfLine | ConfFile)[] = [];
    for (const { text, place } of readSourceLines(file, IMPORT_LIMITS.confBytesMax)) {
      if (text === '' || text.startsWith('#')) continue;
      const [, key = '', value = ''] = /^\s*(\S+)\s*(.*)$/.exec(text) ?? [];
      this.#lines += 1;
      if (this.#lines > IMPORT_LIMITS.confLinesMax)
        throw new MotteError('MOT-1004', `${placeText(place)}: more than ${IMPORT_LIMITS.confLinesMax} lines`);
      if (key !== 'include_dir') lines.push({ key, value, place });
      else if (isMain) lines.push(...this.#includes(resolve(this.#directory, value), place));
      else this.#report.unsupported(place, 'include_dir', 'mosquitto takes it from the first file alone');
    }
    return { file, lines };
  }

  #includes(directory: string, place: Place): ConfFile[] {
    let names: string[];
    try {
      names = readdirSync(directory);
    } catch (fault) {
      throw new MotteError('MOT-1002', `${placeText(place)}: ${directory}: ${said(fault)}`, { cause: fault });
    }
    const found = names.filter((name) => name.length > SUFFIX.length && name.endsWith(SUFFIX)).sort(byCharacter);
    this.#included += found.length;
    if (this.#included > IMPORT_LIMITS.includedFilesMax)
      throw new MotteError('MOT-1004', `${placeText(place)}: more than ${IMPORT_LIMITS.includedFilesMax} files`);
    this.#report.same(place, 'include_dir', `${found.length} files are read`);
    return found.map((name) => this.read(join(directory, name), false));
  }
}

/** As mosquitto sorts them: character by character, upper case before lower where that is all that differs. */
function byCharacter(one: string, other: string): number {
  for (let i = 0; i < Math.min(one.length, other.length); i++) {
    const [a, b] = [one.charAt(i), other.charAt(i)];
    if (a === b) continue;
    const [x, y] = a.toUpperCase() === b.toUpperCase() ? [a, b] : [a.toUpperCase(), b.toUpperCase()];
    return x < y ? -1 : 1;
  }
  return one.length - other.length;
}

const SUFFIX = '.conf';
