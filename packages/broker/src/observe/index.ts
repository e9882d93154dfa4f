// broker/observe: what watches the broker and changes nothing.
export { allAdvice } from './advice.ts';
export { createLog, type Log, type LogLevel } from './log.ts';
export { printable } from './printable.ts';
export { RefusalRing } from './refusals.ts';
export { SYS_COUNTERS, sysMessages } from './sys.ts';
