// A process of its own that plays stories over sockets, many at once, until its time is up: whatever it costs is not taken for
// the broker's doing. Configuration comes as JSON in its first argument, the result goes to standard output as JSON.

import { connect as connectTcp, type Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { connect as connectTls } from 'node:tls';
import { Chance } from '../chance.ts';
import { type Story, storyOf } from '../story.ts';
import type { DeviceFiles } from './broker-process.ts';
import { garbageBehindHandshake, tlsNoise } from './tls-noise.ts';
import { upgradeRequest, webSocketFrame, webSocketNoise } from './web-socket-frames.ts';

export interface AttackOptions {
  readonly seed: number;
  readonly connections: number;
  readonly seconds: number;
  readonly ports: { readonly devices: number; readonly plain: number; readonly web: number };
  readonly device: DeviceFiles;
  readonly silenceMsMax: number;
  /** Play only the connection of this seed. */
  readonly once: boolean;
}

export interface AttackReport {
  readonly played: number;
  readonly byKind: Readonly<Record<string, number>>;
  readonly bytesSent: number;
  /** Connections that the broker should have ended and did not. */
  readonly stuck: readonly string[];
}

const KINDS = ['plain', 'plain', 'plain', 'plain', 'plain', 'plain', 'tls', 'web', 'tls noise', 'web noise'] as const;
/** Between two looks at a connection that must be ended. */
const LOOK_MS = 20;

const options = JSON.parse(process.argv[2] ?? '{}') as AttackOptions;
const byKind: Record<string, number> = {};
const stuck: string[] = [];
let played = 0;
let bytesSent = 0;
let runEndsAt = 0;

async function play(seed: number): Promise<void> {
  const chance = new Chance(seed ^ 0x5eed);
  const kind = chance.pick(KINDS);
  const { ports, device } = options;
  const port = kind.startsWith('tls') ? ports.devices : kind.startsWith('web') ? ports.web : ports.plain;
  const raw = connectTcp({ host: '127.0.0.1', port, noDelay: true, allowHalfOpen: chance.oneIn(4) });
  raw.on('error', () => undefined);
  byKind[kind] = (byKind[kind] ?? 0) + 1;
  const label = `seed ${seed} (${kind})`;
  try {
    if (kind === 'tls noise' && chance.oneIn(3)) {
      const stream = await garbageBehindHandshake(raw, device, chance);
      await expectClosed(stream, raw, `${label}: garbage behind the handshake`);
    } else if (kind.endsWith('noise')) {
      const parts = kind === 'tls noise' ? await tlsNoise(chance) : webSocketNoise(chance, port);
      raw.resume();
      for (const bytes of parts) await write(raw, bytes, chance.oneIn(6));
      if (chance.oneIn(3)) raw.resetAndDestroy();
      else await expectClosed(raw, raw, label);
    } else {
      await playStory(raw, kind, storyOf(seed), chance, label);
    }
  } finally {
    played += 1;
  }
}

async function playStory(raw: Socket, kind: string, story: Story, chance: Chance, label: string): Promise<void> {
  const { device, ports } = options;
  const stream: Duplex = kind === 'tls' ? connectTls({ socket: raw, ...device, servername: 'localhost' }) : raw;
  const wrap = kind === 'web' ? webSocketFrame : (bytes: Uint8Array): Uint8Array => bytes;
  stream.on('error', () => undefined);
  stream.resume();
  if (kind === 'web') await write(stream, upgradeRequest(ports.web), false);
  const slow = chance.oneIn(10);
  for (const step of story.steps) {
    if (stream.destroyed) return;
    if (step.do === 'send') await write(stream, wrap(step.bytes), slow);
    else if (step.do === 'wait') await sleep(step.ms);
    else if (step.do === 'stop reading') stream.pause();
    else stream.resume();
  }
  const { ending } = story;
  const patient = chance.oneIn(3) || options.once;
  if (ending === 'reset') raw.resetAndDestroy();
  else if (ending === 'close' || (ending !== 'half close' && !patient)) stream.destroy();
  else {
    if (ending === 'half close') stream.end();
    if (ending !== 'silent and deaf') stream.resume();
    else stream.pause();
    if (!story.mustEnd && ending !== 'half close') {
      await sleep(500);
      stream.destroy();
      return;
    }
    await expectClosed(stream, raw, `${label}: ${ending}`);
  }
}

/** The broker has this long to end it; what is not ended is left open, for the broker's own account to show. */
async function expectClosed(stream: Duplex, raw: Socket, label: string): Promise<void> {
  const deaf = stream.isPaused();
  if (deaf) {
    // Whoever does not read does not see the end; when the run is over it looks at once.
    await sleep(Math.max(0, Math.min(options.silenceMsMax, runEndsAt - Date.now())));
    stream.resume();
    await sleep(1_000);
  } else stream.resume();
  // Counted in looks and not by the clock: while this process itself stood still it saw nothing.
  let looksLeft = options.silenceMsMax / LOOK_MS;
  // A peer that keeps its own side open sees the end of the other and answers it.
  stream.on('end', () => stream.end());
  const isOver = () => raw.destroyed || stream.destroyed || raw.readableEnded || stream.readableEnded;
  for (; !isOver() && looksLeft > 0; looksLeft--) await sleep(LOOK_MS);
  if (isOver()) {
    raw.destroy();
    return;
  }
  stuck.push(`${label}, from port ${raw.localPort}`);
}

async function write(stream: Duplex, bytes: Uint8Array, slow: boolean): Promise<void> {
  if (stream.destroyed || !stream.writable) return;
  bytesSent += bytes.length;
  stream.write(bytes);
  // Each write a segment of its own, most of the time.
  if (slow) await sleep(5);
  else await new Promise((resolve) => setImmediate(resolve));
}

function sleep(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

let next = options.seed;
// Makes what stories are made of, which takes its time.
storyOf(next);
process.send?.('begun');
runEndsAt = Date.now() + options.seconds * 1000;

async function slot(): Promise<void> {
  while (Date.now() < runEndsAt) await play(next++);
}

// One way for the parent to end it early.
process.on('disconnect', () => process.exit(1));
// The writing side of a TLS socket whose other end was reset may report where nobody listens; nothing of the broker's.
process.on('uncaughtException', (fault: NodeJS.ErrnoException) => {
  if (fault.code !== 'ECONNRESET' && fault.code !== 'EPIPE') throw fault;
});

if (options.once) await play(options.seed);
else await Promise.all(Array.from({ length: options.connections }, slot));
const report: AttackReport = { played, byKind, bytesSent, stuck };
process.send?.(report, () => {
  if (stuck.length === 0) process.exit(0);
});
// Stuck connections stay open until the parent has looked.
setInterval(() => undefined, 60_000);
