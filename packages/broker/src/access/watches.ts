// Who is watched now, for whom and until when. Owns the number of watches and their ends; what one keeps is in recorder.ts.

import type { Emit } from '../events.ts';
import type { Clock } from '../ports/clock.ts';
import { type Identity, identityKey } from '../ports/identity.ts';
import { type EndedWatch, type HeldRights, WATCH_LIMITS, type Watch, type WatchEnd } from '../ports/watch.ts';
import type { PolicyAccess } from './access.ts';
import { Recorder } from './recorder.ts';

export interface WatchesParts {
  readonly access: Pick<PolicyAccess, 'watch' | 'unwatch' | 'subscribe' | 'publish'>;
  readonly clock: Clock;
  readonly emit: Emit;
  /** What sessions of the identity hold already. */
  readonly heldBy: (owner: string) => readonly HeldRights[];
  /** Calls once after a delay; in place of what the name waited for before. */
  readonly after: (name: string, delayMs: number, expire: () => void) => void;
  readonly cancel: (name: string) => void;
}

export class Watches {
  readonly #parts: WatchesParts;
  readonly #byOwner = new Map<string, Watch>();

  constructor(parts: WatchesParts) {
    this.#parts = parts;
  }

  /** Undefined if the identity is not watched. */
  find(identity: Pick<Identity, 'realm' | 'name'>): Watch | undefined {
    return this.#byOwner.get(identityKey(identity));
  }

  /** Undefined if the identity is watched already, or as many are as may be. */
  begin(identity: Pick<Identity, 'realm' | 'name'>, seconds: number): Watch | undefined {
    const { access, clock, emit, heldBy, after, cancel } = this.#parts;
    const owner = identityKey(identity);
    if (this.#byOwner.has(owner) || this.#byOwner.size >= WATCH_LIMITS.watchesMax) return undefined;
    const recorder = new Recorder();
    const beganAtMs = clock.monotonicMs();
    let resolve = (_ended: EndedWatch): void => {};
    const done = new Promise<EndedWatch>((settle) => {
      resolve = settle;
    });
    const end = (why: WatchEnd): void => {
      if (this.#byOwner.get(owner) !== watch) return;
      this.#byOwner.delete(owner);
      cancel(nameOf(owner));
      access.unwatch(owner);
      emit('watch.ended', { identity: owner, why, ...recorder.seen });
      resolve({ why, seconds: Math.round((clock.monotonicMs() - beganAtMs) / 1000), record: recorder.record });
    };
    const watch: Watch = {
      get seen() {
        return recorder.seen;
      },
      done,
      end,
    };
    this.#byOwner.set(owner, watch);
    access.watch(owner, recorder);
    after(nameOf(owner), seconds * 1000, () => end('time'));
    emit('watch.began', { identity: owner, seconds });
    // Asked again, so that the recorder sees it: a client that stays connected never asks for it another time.
    for (const { rights, filters, wills } of heldBy(owner)) {
      for (const filter of filters) access.subscribe(rights, filter);
      for (const will of wills) access.publish(rights, will.topic, will.qos, will.retain, will);
    }
    return watch;
  }

  endAll(why: WatchEnd): void {
    for (const watch of [...this.#byOwner.values()]) watch.end(why);
  }
}

function nameOf(owner: string): string {
  return `watch ${owner}`;
}
