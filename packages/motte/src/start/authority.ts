// The authority as start-up uses it: a child process, or one apart that pki.socket names.

import type { Log } from '@motte/broker/observe';
import type { HealthFinding } from '@motte/broker/ports/admin-view';
import type { MotteConfig } from '../config/config.ts';
import { awaitAuthority } from './authority-apart.ts';
import { startAuthorityChild } from './authority-child.ts';

export interface AuthorityLink {
  readonly brokerSocket: string;
  /** True if this start made the CA. */
  readonly created: boolean;
  /** Whether its keys belong to another user than the broker's. */
  readonly separated: boolean;
  findings(): readonly HealthFinding[];
  /** A child ends; one apart is left alone. */
  close(): Promise<void>;
}

/** Starts the child or waits for the other; throws MOT-0401, MOT-0407, MOT-0408 and what the authority says. */
export async function openAuthorityLink(data: string, config: MotteConfig, log: Log): Promise<AuthorityLink> {
  if (config.authoritySocket !== undefined) return awaitAuthority(data, config.authoritySocket);
  const child = await startAuthorityChild(data, log);
  const { brokerSocket, created } = child.ready;
  return {
    brokerSocket,
    created,
    separated: false,
    findings: () =>
      child.alive ? [] : [{ subject: 'authority', why: 'it is not running and is being started again' }],
    close: () => child.close(),
  };
}
