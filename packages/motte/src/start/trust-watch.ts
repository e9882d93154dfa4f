// Learns from the authority that its CA is being replaced, without a restart: asked every second, since nothing that the
// authority has to say can be pushed at us while it is being started again.

import type { HealthFinding } from '@motte/broker/ports/admin-view';
import { openBrokerAuthority } from '@motte/pki';
import type { TrustMaterial } from '@motte/pki/protocol';

export interface TrustWatch {
  /** That an overlap has lasted longer than it was meant to. */
  findings(nowMs: number): readonly HealthFinding[];
  close(): void;
}

/** Calls `changed` when what is to be trusted is not what it was when it last succeeded; it is called again until it does. */
export function watchTrust(
  brokerSocket: string,
  changed: () => Promise<void>,
  intervalMs: number = INTERVAL_MS,
): TrustWatch {
  const authority = openBrokerAuthority(brokerSocket);
  let known: string | undefined;
  let overlap: TrustMaterial['overlap'] = null;
  let isAsking = false;
  const ask = async (): Promise<void> => {
    if (isAsking) return;
    isAsking = true;
    try {
      const trust = await authority.trust();
      overlap = trust.overlap;
      const seen = JSON.stringify([trust.root, trust.issuing, trust.serverIssuing]);
      if (known !== undefined && seen !== known) await changed();
      known = seen;
    } catch {
      // Whoever watches the authority, or renews the certificate, says what is wrong; here it is only asked again.
    } finally {
      isAsking = false;
    }
  };
  void ask();
  const timer = setInterval(() => void ask(), intervalMs);
  return {
    findings(nowMs) {
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
