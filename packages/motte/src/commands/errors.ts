// `motte errors [MOT-nnnn]`: the catalogue.

import { MotteError } from '@motte/admin/errors';
import { CATALOGUE } from '../catalogue.ts';
import type { CommandFile } from '../command.ts';
import { renderFields, renderTable } from '../table.ts';

export const command: CommandFile = {
  configure: (command) => void command.argument('[number]', 'such as MOT-0301'),
  async run(context, [number]) {
    const rows = [...CATALOGUE].map(([code, { what, when, remedy, exit }]) => ({ code, what, when, remedy, exit }));
    if (number === undefined) {
      if (context.json) context.document({ format: 1, errors: rows });
      else
        context.say(
          renderTable(
            ['NUMBER', 'EXIT', 'WHAT'],
            rows.map(({ code, exit, what }) => [code, exit, what]),
          ),
        );
      return 0;
    }
    const wanted = /^[0-9]{1,4}$/.test(number) ? `MOT-${number.padStart(4, '0')}` : number.toUpperCase();
    const row = rows.find(({ code }) => code === wanted);
    if (row === undefined) throw new MotteError('MOT-0005', number);
    if (context.json) context.document({ format: 1, error: row });
    else {
      context.say(
        renderFields([
          [row.code, row.what],
          ['when', row.when],
          ['what to do', row.remedy],
          ['exit code', row.exit],
        ]),
      );
    }
    return 0;
  },
};
