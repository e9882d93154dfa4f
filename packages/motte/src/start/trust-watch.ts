// Learns from the authority that its CA is being replaced, without a restart, and whether it is there at all: asked every
// second, since nothing that the authority has to say can be pushed at us while it is being started again.

import type { Log } from '@motte/broker/observe';
import type { HealthFinding } from '@motte/broker/ports/admin-view';
import { openBrokerAuthority } from '@motte/pki';
import { AuthorityFault, type TrustMaterial } from '@motte/pki/protocol';

export interface TrustWatch {
  /** That it does not answer, or that an overlap has lasted longer than it was meant to. */
  findings(nowMs: number): readonly HealthFinding[];
  close(): void;
}

/** Calls `changed` when what is to be trusted is not what it was when it last succeeded; it is called again until it does. */
export function watchTrust(
  brokerSocket: string,
  changed: () => Promise<void>,
  log: Pick<Log, 'say'>,
  intervalMs: number = INTERVAL_MS,
): TrustWatch {
  const authority = openBrokerAuthority(brokerSocket);
  let known: string | undefined;
  let overlap: TrustMaterial['overlap'] = null;
  let isAsking = false;
  let away: string | undefined;
  const noteAway = (why: string | undefined): void => {
    if (why !== undefined && away === undefined) log.say('error', 'the authority does not answer', { why });
    if (why === undefined && away !== undefined) log.say('info', 'the authority answers again', {});
    away = why;
  };
  const ask = async (): Promise<void> => {
    if (isAsking) return;
    isAsking = true;
    try {
      const trust = await authority.trust();
      overlap = trust.overlap;
      noteAway(undefined);
      const seen = JSON.stringify([trust.root, trust.issuing, trust.serverIssuing]);
      if (known !== undefined && seen !== known) await changed();
      known = seen;
    } catch (fault) {
      // What else can be wrong is said by whoever renews the certificate; here it is only asked again.
      if (fault instanceof AuthorityFault && fault.code === 'MOT-0421') noteAway(fault.why);
    } finally {
      isAsking = false;
    }
  };
  void ask();
  const timer = setInterval(() => void ask(), intervalMs);
  return {
    findings(nowMs) {
      if (away !== undefined) {
        const why = `it does not answer (${away}); nothing is certified or revoked until it does, everything else goes on`;
        return [{ subject: 'authority', why }];
      }
      if (overlap === null || Date.parse(overlap.until) > nowMs) return [];
      const { until, unmoved } = overlap;
      const left = unmoved === 0 ? 'every device has moved' : `${unmoved} devices have not moved`;
      const why = `two CAs were to be trusted until ${until}; ${left}: motte ca rotate --finish ends it`;
      return [{ subject: 'authority', why }];
    },
    close: () => clearInterval(timer),
  };
}

const INTERVAL_MS = 1_000;
