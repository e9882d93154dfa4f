// Judges policies in a thread of their own, so that nobody who is connected waits for it: one thread for each, which ends with it.
// It is given the text and, when it has read whom the tests are about, what the registry knows of those; it answers with lines
// of which the policy is made here again. It opens nothing, and has neither environment nor options of this process.

import { setImmediate as nextTurn } from 'node:timers/promises';
import { type ResourceLimits, Worker } from 'node:worker_threads';
import { MotteError } from '@motte/admin/errors';
import type { Registered, Who } from '@motte/broker/policy';
import type { PolicySource } from '@motte/broker/ports/policies';
import type { Mistake } from '../config/mistakes.ts';
import { PolicyRefused } from './document.ts';
import type { Judge, Judgement, JudgeWorld } from './judge.ts';
import { type PolicyOutline, policyOfOutline } from './outline.ts';

/** What the thread begins with. */
export interface JudgeJob {
  readonly source: PolicySource;
  readonly listeners: JudgeWorld['listeners'];
}

/** What it says, in this order; `refused` is the last, too. */
export type FromThread =
  | { readonly kind: 'refused'; readonly file: string; readonly mistakes: readonly Mistake[]; readonly count: number }
  | { readonly kind: 'whom'; readonly whom: readonly Who[] }
  | { readonly kind: 'judged'; readonly outline: PolicyOutline; readonly judgement: Judgement };

/** The answer to `whom`, one for each. */
export type ToThread = readonly ReturnType<Registered>[];

/** `program` is what the thread runs. Rejects with MOT-0908 if it ends without an answer. */
export function judgeInThread(program: URL = PROGRAM, resourceLimits: ResourceLimits = THREAD_LIMITS): Judge {
  return async (source, { registered, listeners }, signal) => {
    signal.throwIfAborted();
    const job: JudgeJob = { source, listeners: listeners?.map(({ name, role }) => ({ name, role })) };
    const thread = new Worker(program, { workerData: job, env: {}, execArgv: [], resourceLimits });
    // Whoever ends the process does not wait for it.
    thread.unref();
    try {
      const { outline, judgement } = await answerOf(thread, registered, signal);
      const policy = await policyOfOutline(outline, () => nextTurn());
      signal.throwIfAborted();
      return { policy, judgement };
    } finally {
      void thread.terminate();
    }
  };
}

function answerOf(
  thread: Worker,
  registered: Registered,
  signal: AbortSignal,
): Promise<Extract<FromThread, { kind: 'judged' }>> {
  return new Promise((resolve, reject) => {
    const failed = (why: string, cause?: unknown) => reject(new MotteError('MOT-0908', why, { cause }));
    signal.addEventListener('abort', () => reject(signal.reason as Error), { once: true });
    thread.on('message', (said: FromThread) => {
      if (said.kind === 'judged') resolve(said);
      else if (said.kind === 'refused') reject(new PolicyRefused(said.file, said.mistakes, said.count));
      else {
        const known: ToThread = said.whom.map((who) => {
          const found = registered(who);
          // Nothing else of it is theirs: verifiers least of all.
          return found === undefined ? undefined : { kind: found.kind, roles: found.roles };
        });
        thread.postMessage(known);
      }
    });
    thread.once('messageerror', (fault) => failed('its answer cannot be read', fault));
    thread.once('error', (fault: NodeJS.ErrnoException) => {
      if (fault.code === 'ERR_WORKER_OUT_OF_MEMORY') failed('it takes more memory than one policy gets', fault);
      else failed(`its thread failed: ${fault.message}`, fault);
    });
    thread.once('exit', () => failed('its thread ended without an answer'));
  });
}

const PROGRAM = new URL('./judge-thread-main.js', import.meta.url);

/** Four times what the largest policy takes. */
const THREAD_LIMITS = { maxOldGenerationSizeMb: 256 };
