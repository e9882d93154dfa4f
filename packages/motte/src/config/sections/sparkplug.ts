// `sparkplug`: promised, not in this version.

import { later } from '../setting.ts';

export const Sparkplug = later('Sparkplug B host features.');
