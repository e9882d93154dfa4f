// The paths alone, against a core without the check whose number stands in the environment.

import { mergeConfig } from 'vitest/config';
import root from '../../vitest.config.ts';
import { findChecks, withoutCheck } from './without-check.ts';

const check = findChecks()[Number(process.env['MOTTE_WITHOUT_CHECK'])];
if (check === undefined) throw new Error('MOTTE_WITHOUT_CHECK is the number of no check');

export default mergeConfig(root, { plugins: [withoutCheck(check)], test: { bail: 1 } });
