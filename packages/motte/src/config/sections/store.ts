// `store`: where sessions, queues and retained messages live.

import Type, { type Static } from 'typebox';
import { choice, integer, section } from '../setting.ts';

export const StoreSection = section(
  {
    kind: Type.Optional(
      choice({
        values: ['level', 'memory'],
        default: 'level',
        says: 'What holds them.',
        breaks: 'In memory, sessions and retained messages end with the process.',
        applies: 'restart',
      }),
    ),
    lingerMs: Type.Optional(
      integer({
        default: 5,
        minimum: 0,
        maximum: 1_000,
        says: 'How long a write may wait for the acknowledgement that makes it needless.',
        breaks: 'Longer makes every QoS 1 acknowledgement later by as much.',
        applies: 'restart',
        unit: 'ms',
      }),
    ),
    freeBytesMin: Type.Optional(
      integer({
        default: 64 * 1024 ** 2,
        minimum: 0,
        maximum: 1024 ** 4,
        says: 'Nothing new is stored while less than this is free on the disk; what is stored is still delivered.',
        breaks: 'A disk that fills to the end stops what is under way in the middle.',
        applies: 'restart',
        unit: 'bytes',
      }),
    ),
    writeBufferBytes: Type.Optional(
      integer({
        default: 0,
        minimum: 0,
        maximum: 1024 ** 3,
        says: 'What is written is gathered in memory up to this before it is sorted into files; 0 for a sixteenth of the memory budget, 64 MiB at most.',
        breaks: 'Up to twice as much memory; less has every message written to the disk more often.',
        applies: 'restart',
        unit: 'bytes',
      }),
    ),
  },
  'Where sessions, queues and retained messages live.',
);
export type StoreSection = Static<typeof StoreSection>;
