// Where devices reach the enrolment listener of a data directory's broker, and whether it is open.

import { MotteError, openAdmin } from '@motte/admin';
import { loadConfig } from '../config/config.ts';
import { deviceUrl, parseEnrolUrl } from '../config/enrol-url.ts';
import type { Context } from '../context.ts';

/** The URL to print: of the configuration in force where the broker runs, else of the file. MOT-0640 with `enrol: off`. */
export async function enrolUrlOf(context: Context, given: string | undefined): Promise<string> {
  const enrol = (await runningEnrol(context)) ?? loadConfig(context.config).settings.enrol;
  if (enrol === 'off') throw new MotteError('MOT-0640', 'the configuration says `enrol: off`');
  if (given !== undefined) {
    const address = parseEnrolUrl(given);
    if (typeof address === 'string') throw new MotteError('MOT-0002', `--url ${given}: ${address}`);
    return given;
  }
  const address = parseEnrolUrl(enrol.url);
  if (typeof address === 'string') throw new MotteError('MOT-0640', address);
  return deviceUrl(address);
}

/** Waits a moment for the listener of a running broker to open; why it did not, or undefined. */
export async function whyNotOpen(context: Context): Promise<string | undefined> {
  const admin = openAdmin(context.data);
  for (const end = performance.now() + OPEN_WAIT_MS; ; ) {
    const status = await admin.status().catch(() => undefined);
    if (status === undefined) return 'the broker is not running: the listener opens when it does';
    const row = status.listeners.find(({ name }) => name === 'enrol');
    if (row?.state === 'open') return undefined;
    if (performance.now() >= end) return row?.why ?? 'the listener for it is not open yet: see `motte status`';
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
  }
}

type Enrol = 'off' | { readonly url: string };

async function runningEnrol(context: Context): Promise<Enrol | undefined> {
  try {
    const { config } = await openAdmin(context.data).config();
    return (config as { config: { enrol: Enrol } }).config.enrol;
  } catch (fault) {
    if (fault instanceof MotteError && fault.code === 'MOT-0501') return undefined;
    throw fault;
  }
}

const OPEN_WAIT_MS = 3_000;
const LOOK_MS = 50;
