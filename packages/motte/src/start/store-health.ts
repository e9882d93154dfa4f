// What `motte status` and /readyz have to know of the store: whether it takes anything, and whether something in it was damaged.

import type { Broker } from '@motte/broker';
import type { HealthFinding } from '@motte/broker/ports/admin-view';
import type { Store } from '@motte/broker/ports/store';

/** Gives the findings of the moment; counts damage from now on. */
export function watchStore(store: Store, broker: Pick<Broker, 'observe'>): () => readonly HealthFinding[] {
  let damaged = 0;
  broker.observe((event) => {
    if (event.name === 'store.damaged') damaged += 1;
  }, 'error');
  return () => {
    const findings: HealthFinding[] = [];
    const { failing } = store;
    if (failing !== undefined) findings.push({ subject: 'store', why: `nothing new is stored: ${failing}` });
    if (damaged > 0) {
      const what = damaged === 1 ? 'one damaged record or file was' : `${damaged} damaged records or files were`;
      findings.push({
        subject: 'damage',
        why: `${what} set apart since the start; the log names them as store.damaged`,
      });
    }
    return findings;
  };
}
