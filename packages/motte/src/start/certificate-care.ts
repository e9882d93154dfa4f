// Server certificates while the broker runs: looked at every hour, at SIGHUP, and when their files change. What cannot be used
// changes nothing, is logged once, and stays a finding until it is mended.

import type { Log } from '@motte/broker/observe';
import type { HealthFinding } from '@motte/broker/ports/admin-view';
import type { MotteConfig } from '../config/config.ts';
import { watchFiles } from '../data/file-watch.ts';
import { codedOf } from '../report.ts';
import { type Material, replacedWhy } from './material.ts';

export interface CertificateCareParts {
  /** In force now. */
  readonly config: () => MotteConfig;
  readonly material: Material;
  /** What is to be in force under a configuration; with what is `before`, files that cannot be used leave their part as it is. */
  readonly obtain: (config: MotteConfig, before?: Material) => Promise<Material>;
  /** Puts it in force for new handshakes; throws and changes nothing if it cannot be used. */
  readonly use: (material: Material) => void;
  readonly log: Log;
}

export interface CertificateCare {
  readonly findings: readonly HealthFinding[];
  /** Throws what is wrong with the material of a configuration. */
  refresh(config: MotteConfig): Promise<void>;
  /** Takes what the authority says now, whatever is wrong with files of the operator's; throws if it says nothing. */
  follow(): Promise<void>;
  end(): void;
}

export function careForCertificates({ config, material, obtain, use, log }: CertificateCareParts): CertificateCare {
  let current = material;
  let why: string | undefined;
  const note = (fault: unknown): void => {
    if (fault === undefined) return void (why = undefined);
    const { code, why: now } = codedOf(fault);
    if (now !== why) log.say('error', 'the server certificate stays the old one', { code, why: now });
    why = now;
  };
  const renew = async (next: MotteConfig, before?: Material): Promise<void> => {
    const fresh = await obtain(next, before);
    note(fresh.unusable);
    if (inForce(fresh) === inForce(current)) return;
    use(fresh);
    log.say('info', 'certificates were replaced', { why: replacedWhy(current, fresh) });
    current = fresh;
  };
  // One after the other: of two that write the same files, neither would keep a pair that fits.
  let last: Promise<void> = Promise.resolve();
  const inTurn = (work: () => Promise<void>): Promise<void> => {
    const turn = last.then(work);
    last = turn.catch(() => undefined);
    return turn;
  };
  const follow = (): Promise<void> => inTurn(() => renew(config(), current));
  const look = (): Promise<void> => follow().catch(note);
  const hourly = setInterval(() => void look(), CHECK_MS);
  const endWatch = watchFiles({ files: () => filesOf(config()), changed: look });
  return {
    get findings() {
      return why === undefined ? [] : [{ subject: 'certificate', why: `the old one stays: ${why}` }];
    },
    refresh: (wanted) => inTurn(() => renew(wanted)),
    follow,
    end() {
      clearInterval(hourly);
      endWatch();
    },
  };
}

/** What the listeners show and trust, and whom each CA may prove. */
function inForce({ tls, authorities }: Material): string {
  return JSON.stringify([tls, authorities, tls.staple !== undefined]);
}

function filesOf({ certificate, certificates }: MotteConfig): string[] {
  const all = certificate === undefined ? certificates : [certificate, ...certificates];
  return all.flatMap(({ cert, key }) => [cert, key]);
}

const CHECK_MS = 3_600_000;
