// Removes what sessions that ended have left behind: their end itself is one small record, so that it costs the same whatever
// they were owed.

import type { Bodies } from './bodies.ts';
import type { Engine, Entry, Scan, Write } from './engine.ts';
import { bodyKey, KEY, sessionKeyOf } from './keys.ts';
import { behindSession } from './load.ts';
import { decodeQueued } from './records.ts';
import { DamagedRecord, unseal } from './seal.ts';
import type { SessionNumbers } from './sessions.ts';

/** Sweeps until nothing is left, or `goOn` says no; throws what the engine throws, and what was not swept is swept another time. */
export async function sweepEnded(
  engine: Engine,
  sessions: SessionNumbers,
  bodies: Bodies,
  goOn: () => boolean,
): Promise<void> {
  for (const session of sessions.ended) {
    for (const kind of [KEY.subscription, KEY.received, KEY.will, KEY.queue]) {
      if (!(await sweepRange(engine, kind, session, bodies, goOn))) return;
    }
    sessions.ended.delete(session);
  }
}

/** False if it was stopped. */
async function sweepRange(
  engine: Engine,
  kind: number,
  session: number,
  bodies: Bodies,
  goOn: () => boolean,
): Promise<boolean> {
  while (goOn()) {
    const scan = engine.scan(sessionKeyOf(kind, session), behindSession(kind, session));
    const page = await nextPage(scan);
    if (page.length === 0) return true;
    const writes: Write[] = [];
    const released: number[] = [];
    for (const [key, value] of page) {
      writes.push({ key, value: undefined });
      const body = kind === KEY.queue ? bodyOfCopy(key, value) : 0;
      if (body === 0) continue;
      released.push(body);
      if (bodies.release(body)) writes.push({ key: bodyKey(body), value: undefined });
    }
    try {
      await engine.write(writes);
    } catch (fault) {
      // The copies may still be there and will be met again.
      for (const body of released) bodies.found(body);
      throw fault;
    }
  }
  return false;
}

/** The body that a copy refers to; 0 = none, or one that a damaged copy does not tell: that stays until the next start. */
function bodyOfCopy(key: Uint8Array, value: Uint8Array): number {
  try {
    return decodeQueued(unseal(key, value)).body;
  } catch (fault) {
    if (!(fault instanceof DamagedRecord)) throw fault;
    return 0;
  }
}

async function nextPage(scan: Scan): Promise<readonly Entry[]> {
  try {
    return await scan.next(PAGE);
  } finally {
    await scan.close();
  }
}

const PAGE = 256;
