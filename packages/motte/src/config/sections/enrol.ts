// `enrol`: promised, not in this version.

import { later } from '../setting.ts';

export const Enrol = later('Where devices enrol themselves; open only while something can be enrolled.');
