// What one hostile connection does from its first byte to its end, decided by its seed alone. How it is carried out, in
// memory or over a socket, is not known here.

import { encode, type ProtocolVersion } from '@motte/wire';
import fc from 'fast-check';
import { versionedPackets } from '../../packages/wire/src/testing/packet-arbitraries.ts';
import { loadVectors } from '../../packages/wire/src/testing/vectors.ts';
import { joined } from '../harness/bytes.ts';
import { Chance } from './chance.ts';
import { clientPacket, connect } from './grammar.ts';
import { mutated } from './mutations.ts';

export type Step =
  | { readonly do: 'send'; readonly bytes: Uint8Array }
  /** Time goes by, in ms; a socket waits, memory moves its clock. */
  | { readonly do: 'wait'; readonly ms: number }
  | { readonly do: 'stop reading' | 'read on' };

/** `silent`: the peer stays and says nothing more; the broker has to end it. */
export type Ending = 'reset' | 'close' | 'half close' | 'silent' | 'silent and deaf';

export interface Story {
  readonly seed: number;
  readonly version: ProtocolVersion;
  readonly steps: readonly Step[];
  readonly ending: Ending;
  /** True if silence cannot last: an MQTT 3 client without a keep-alive may stay for ever. */
  readonly mustEnd: boolean;
}

const ENDINGS: readonly Ending[] = ['reset', 'reset', 'close', 'close', 'half close', 'silent', 'silent and deaf'];
const VERSIONS = [3, 4, 5, 5] as const;

interface Seeds {
  readonly vectors: readonly Uint8Array[];
  readonly random: readonly Uint8Array[];
}

let seeds: Seeds | undefined;

/** Every vector as bytes, and random packets of all types and versions, made once. */
function seedPackets(): Seeds {
  seeds ??= {
    vectors: loadVectors().map(({ bytes }) => bytes),
    random: fc
      .sample(versionedPackets(), { seed: 1, numRuns: 2000 })
      .map(({ packet, version }) => encode(packet, version)),
  };
  return seeds;
}

/** The story of a seed. */
export function storyOf(seed: number): Story {
  const chance = new Chance(seed);
  const version = chance.pick(VERSIONS);
  const steps: Step[] = [];
  const kind = chance.int(20);
  // Nearly every story gets in, or the way beyond CONNECT would hardly be tried.
  const keepAlive = chance.pick([0, 1, 1, 2, 60]);
  if (kind >= 2) steps.push({ do: 'send', bytes: connect(chance, version, keepAlive) });
  if (kind === 0) steps.push({ do: 'send', bytes: mutated(connect(chance, version, keepAlive), chance) });
  if (kind === 19) flood(chance, version, steps);
  else for (let left = chance.between(1, 14); left > 0; left--) steps.push(...one(chance, version));
  const ending = chance.pick(ENDINGS);
  const mustEnd = kind >= 2 && (version === 5 || keepAlive === 1 || keepAlive === 2);
  return { seed, version, mustEnd, steps: chance.oneIn(6) ? chopped(steps, chance) : steps, ending };
}

function one(chance: Chance, version: ProtocolVersion): Step[] {
  switch (chance.int(16)) {
    case 0:
      return [{ do: 'send', bytes: chance.pick(seedPackets().vectors) }];
    case 1:
      return [{ do: 'send', bytes: chance.pick(seedPackets().random) }];
    case 2:
      return [{ do: 'send', bytes: mutated(chance.pick(seedPackets().random), chance) }];
    case 3:
      return [{ do: 'send', bytes: mutated(chance.pick(seedPackets().vectors), chance) }];
    case 4:
      return [{ do: 'send', bytes: mutated(clientPacket(chance, version), chance) }];
    case 5:
      return [{ do: 'wait', ms: chance.pick([1, 10, 300, 1200]) }];
    case 6:
      return [{ do: chance.oneIn(2) ? 'stop reading' : 'read on' }];
    case 7:
      return chance.oneIn(4) ? [{ do: 'send', bytes: chance.bytes(chance.int(200)) }] : [];
    default:
      return [{ do: 'send', bytes: joined(list(chance.between(1, 4), () => clientPacket(chance, version))) }];
  }
}

/** Many packets at once, mostly by a peer that does not read what they are answered with. */
function flood(chance: Chance, version: ProtocolVersion, steps: Step[]): void {
  if (!chance.oneIn(3)) steps.push({ do: 'stop reading' });
  const ping = Uint8Array.of(0xc0, 0);
  const one = chance.oneIn(3) ? [ping] : list(chance.between(1, 6), () => clientPacket(chance, version));
  const packets = joined(one);
  const times = Math.ceil(chance.pick([4_000, 60_000, 300_000]) / packets.length);
  const bytes = new Uint8Array(packets.length * times);
  for (let i = 0; i < times; i++) bytes.set(packets, i * packets.length);
  steps.push({ do: 'send', bytes });
}

/** The same bytes in other pieces, down to one byte each. */
function chopped(steps: readonly Step[], chance: Chance): Step[] {
  const most = chance.pick([1, 3, 17]);
  return steps.flatMap((step): Step[] => {
    if (step.do !== 'send' || step.bytes.length > 2_000) return [step];
    const pieces: Step[] = [];
    for (let at = 0; at < step.bytes.length; ) {
      const length = chance.between(1, most);
      pieces.push({ do: 'send', bytes: step.bytes.subarray(at, at + length) });
      at += length;
    }
    return pieces;
  });
}

function list<T>(length: number, make: () => T): T[] {
  return Array.from({ length }, make);
}
