// Opens the durable store: format first, then everything about sessions but their messages. What cannot be opened is refused
// with a reason and left as it is; files that are damaged are repaired as far as they can be read, and said so.

import { Bodies } from './bodies.ts';
import { DamageFault, type Engine, type Records } from './engine.ts';
import { assertFormat, FORMAT_KEY, FORMAT_VALUE, FormatFault } from './format.ts';
import { metaKey } from './keys.ts';
import { LevelStore, type LevelStoreOptions } from './level-store.ts';
import { type Loaded, loadSessions, SESSIONS_MAX, type Unseal } from './load.ts';
import { Quarantine } from './quarantine.ts';
import { loadTotals } from './retained-totals.ts';
import { SessionNumbers } from './sessions.ts';
import { Troubles } from './troubles.ts';

export interface OpenOptions extends LevelStoreOptions {
  readonly nowMs: () => number;
}

/** Throws FormatFault, DamageFault for what repair cannot help, and what the file system says. */
export async function openLevelStore(engine: Engine, options: OpenOptions): Promise<LevelStore> {
  const troubles = new Troubles();
  try {
    return await open(engine, await engine.check(), options, troubles);
  } catch (fault) {
    await engine.close();
    if (!(fault instanceof DamageFault)) throw fault;
    await repair(engine, fault, troubles);
    return await open(engine, undefined, options, troubles);
  }
}

async function repair(engine: Engine, fault: DamageFault, troubles: Troubles): Promise<void> {
  const found = await engine.repair();
  for (const why of found.length === 0 ? [fault.message] : found) troubles.tell({ kind: 'damaged', why });
}

async function open(
  engine: Engine,
  files: Records | undefined,
  options: OpenOptions,
  troubles: Troubles,
): Promise<LevelStore> {
  const bodies = new Bodies();
  const quarantine = new Quarantine({ nowMs: options.nowMs, troubles });
  const unseal: Unseal = (key, value) => quarantine.unseal(key, value);
  const sessions = new SessionNumbers();
  const load = (records: Records): Promise<Loaded> =>
    loadSessions(records, unseal, { first: 0, last: SESSIONS_MAX }, ({ body }) => {
      if (body !== 0) bodies.found(body);
    });
  // The files themselves give it at a third of the price; once the database is open they are no longer ours to read.
  const early = files === undefined ? undefined : await load(files);
  await engine.open();
  await checkFormat(engine);
  const { sessions: opened, ended } = early ?? (await load(engine));
  for (const [number, { session }] of opened) sessions.put(session.key, number);
  for (const number of ended) sessions.left(number);
  bodies.startAt(await nextOpening(engine, bodies.highest));
  const retained = await loadTotals(engine, unseal);
  const parts = { engine, sessions, bodies, quarantine, troubles, retained, opened: [...opened.values()] };
  return new LevelStore(parts, options);
}

/** Writes the format into an empty database; refuses any other that does not name it. */
async function checkFormat(engine: Engine): Promise<void> {
  const value = engine.get(FORMAT_KEY);
  if (value === undefined) {
    const scan = engine.scan(Uint8Array.of(0), Uint8Array.of(0xff));
    const first = await scan.next(1);
    await scan.close();
    if (first.length > 0) throw new FormatFault('it holds the data of another program');
    await engine.write([{ key: FORMAT_KEY, value: FORMAT_VALUE }]);
    return;
  }
  assertFormat(value);
}

/** The first number for bodies of this opening: each has numbers of its own to give, so that none is ever given twice. */
async function nextOpening(engine: Engine, highestBody: number): Promise<number> {
  const value = engine.get(OPENINGS_KEY);
  const noted = value === undefined ? 0 : Number(new TextDecoder().decode(value));
  // Should the note be damaged, what is there tells where numbers were.
  const last = Math.max(Number.isSafeInteger(noted) ? noted : 0, Math.floor(highestBody / BODIES_PER_OPENING));
  await engine.write([{ key: OPENINGS_KEY, value: ASCII.encode(String(last + 1)) }]);
  return (last + 1) * BODIES_PER_OPENING;
}

const OPENINGS_KEY = metaKey('openings');
/** Of the 2^48 numbers: a million openings, and months of a busy broker each. */
const BODIES_PER_OPENING = 2 ** 28;
const ASCII = new TextEncoder();
