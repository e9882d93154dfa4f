// `motte ca rotate`: a new CA beside the old one for a while, then alone. Returns when a running broker knows.

import { setTimeout as sleep } from 'node:timers/promises';
import { MotteError, openAdmin } from '@motte/admin';
import type { CaDetails } from '@motte/pki/protocol';
import { type CommandFile, textOption } from '../command.ts';
import type { Context } from '../context.ts';
import { askAuthority } from '../data/ask-authority.ts';
import { sayCa } from './ca-show.ts';

export const command: CommandFile = {
  configure: (command) => {
    command
      .option('--overlap <duration>', 'begin: how long both CAs are to be trusted, as 30d, 12h or 8w')
      .option('--finish', 'end: only the new CA is trusted, and the old keys are destroyed')
      .option('--force', 'with --finish: also while devices have not moved; they are shut out')
      .addHelpText('after', '\ndocs/how-to/rotate-the-ca.md goes through it.');
  },
  async run(context, _args, options) {
    const overlap = textOption(options, 'overlap');
    const isFinish = options['finish'] === true;
    if ((overlap === undefined) !== isFinish) {
      throw new MotteError('MOT-0002', 'motte ca rotate takes --overlap DURATION to begin, or --finish to end');
    }
    const force = options['force'] === true;
    if (force && !isFinish) throw new MotteError('MOT-0002', '--force belongs to --finish');
    const { ca, unmoved } = await askAuthority(context, async (authority) => {
      // Who is left behind is known only before.
      const left = isFinish ? await authority.unmovedDevices() : [];
      const details = overlap === undefined ? await authority.finishRotation(force) : await authority.rotateCa(overlap);
      return { ca: details, unmoved: isFinish ? left : await authority.unmovedDevices() };
    });
    const isKnown = await waitForBroker(context, ca);
    const ended = isFinish && isKnown ? await endConnections(context, unmoved) : 0;
    if (context.json) context.document({ format: 1, ca, unmoved, broker: isKnown, ended });
    else {
      sayCa(context, ca, isFinish ? [] : unmoved);
      if (isFinish && unmoved.length > 0) {
        context.say(`shut out: ${unmoved.join(', ')}; ${ended} of their connections were ended`);
      }
      context.say(isKnown ? 'the running broker knows' : 'no broker runs here; it will know when it starts');
      if (!isFinish) context.say('next: renew every device, then `motte ca rotate --finish`');
    }
    return 0;
  },
};

/** True once a running broker trusts exactly these; false if none runs. MOT-0465 if it does not learn of it. */
async function waitForBroker(context: Context, { current, old }: CaDetails): Promise<boolean> {
  const wanted = [...(old === null ? [] : [old.fingerprint]), current.fingerprint].join();
  const admin = openAdmin(context.data);
  const deadline = performance.now() + KNOWN_DEADLINE_MS;
  for (;;) {
    try {
      if ((await admin.status()).caTrusted.join() === wanted) return true;
    } catch (fault) {
      if (fault instanceof MotteError && fault.code === 'MOT-0501') return false;
      throw fault;
    }
    if (performance.now() > deadline) {
      const { AuthorityFault } = await import('@motte/pki/protocol');
      throw new AuthorityFault('MOT-0465', 'it still trusts what it trusted before');
    }
    await sleep(POLL_MS);
  }
}

/** What a device proved when it connected counts for its connection; nothing proves it any more. */
async function endConnections(context: Context, names: readonly string[]): Promise<number> {
  const admin = openAdmin(context.data);
  let ended = 0;
  for (const identity of names) {
    try {
      ended += (await admin.kick({ identity })).ended;
    } catch (fault) {
      if (!(fault instanceof MotteError && fault.code === 'MOT-0701')) throw fault;
    }
  }
  return ended;
}

const KNOWN_DEADLINE_MS = 15_000;
const POLL_MS = 200;
