// The enrolment listener of a running broker: opened when the authority says that something can be enrolled, closed when
// nothing can. What the authority issued is entered into the registry here.

import { type EnrolListener, type EnrolTls, openEnrolListener } from '@motte/broker/api';
import type { BrokerEvent, EventFields, EventName } from '@motte/broker/events';
import type { Log, RefusalRing } from '@motte/broker/observe';
import type { ListenerRow } from '@motte/broker/ports/admin-view';
import type { IdentityDirectory } from '@motte/broker/ports/directory';
import type { EnrolDesk, EnrolRefusal } from '@motte/broker/ports/enrol';
import { identityKey, OWN_REALM } from '@motte/broker/ports/identity';
import { openBrokerAuthority } from '@motte/pki';
import type { MotteConfig } from '../config/config.ts';
import { createEnrolDesk } from './enrol-desk.ts';
import type { Material } from './material.ts';

export interface EnrolmentParts {
  readonly config: MotteConfig;
  readonly authority: { readonly brokerSocket: string };
  readonly material: Material;
  readonly directory: IdentityDirectory;
  readonly ring: RefusalRing;
  readonly log: Log;
  readonly timeUnknown: () => string | undefined;
}

export interface Enrolment {
  /** None while it is closed. */
  readonly rows: readonly ListenerRow[];
  /** Follows the authority from now on, until it is closed. */
  start(): void;
  setTls(material: Material): void;
  close(): Promise<void>;
}

export function createEnrolment(parts: EnrolmentParts): Enrolment {
  const { directory, ring, log } = parts;
  const config = parts.config.enrol;
  if (config === undefined) return { rows: [], start: () => {}, setTls: () => {}, close: async () => undefined };
  const emit = <N extends EventName>(name: N, fields: EventFields<N>): void => {
    const event = { name, atMs: Date.now(), ...fields } as unknown as BrokerEvent;
    ring.observe(event);
    log.observe(event);
  };
  const onFault = (fault: Error) => log.say('error', 'enrolment failed', { why: fault.message });
  let tls = tlsOf(parts.material);
  let listener: EnrolListener | undefined;
  let failed = '';
  const ending = new AbortController();
  let wake: (() => void) | undefined;
  const { brokerSocket } = parts.authority;
  const watched = openBrokerAuthority(brokerSocket, ending.signal);
  const desk: EnrolDesk = createEnrolDesk({
    // Whoever is being enrolled still gets the answer.
    authority: openBrokerAuthority(brokerSocket),
    directory,
    emit,
    tls: () => tls,
    timeUnknown: parts.timeUnknown,
  });
  const host = config.host.includes(':') ? `[${config.host}]` : config.host;
  const urlOf = (port: number): string => `https://${host}:${port}`;

  const open = async (): Promise<void> => {
    try {
      const { host, port } = config;
      listener = await openEnrolListener({ host, port, tls, desk, onFault, onRefused: (one) => emit(...refusal(one)) });
      failed = '';
      emit('listener.opened', { listener: NAME, url: urlOf(listener.port) });
    } catch (fault) {
      const { code, message } = fault as NodeJS.ErrnoException;
      const why = code === 'EADDRINUSE' ? 'another program listens on this port' : message;
      // Once for each reason: it is tried again as long as it is wanted.
      if (why !== failed) emit('listener.failed', { listener: NAME, url: urlOf(config.port), why });
      failed = why;
    }
  };
  const close = async (): Promise<void> => {
    const open = listener;
    listener = undefined;
    failed = '';
    if (open === undefined) return;
    await open.close();
    emit('listener.closed', { listener: NAME, url: urlOf(open.port) });
  };
  const follow = async (): Promise<void> => {
    for (let known = 0; !ending.signal.aborted; ) {
      try {
        const state = await watched.watchEnrolment(known);
        known = state.number;
        if (ending.signal.aborted) return;
        if (!(state.open || config.est)) await close();
        else if (listener === undefined) await open();
        if (failed !== '') await pause(RETRY_MS);
      } catch (fault) {
        if (ending.signal.aborted) return;
        // Without the authority nothing can be enrolled.
        await close();
        known = 0;
        if (!isUnreachable(fault)) onFault(fault as Error);
        await pause(RETRY_MS);
      }
    }
  };
  const pause = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const timer = setTimeout(resolve, ms);
      wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });

  return {
    get rows() {
      const row = { name: NAME, authentication: 'token or certificate', connections: 0 };
      if (listener !== undefined) return [{ ...row, url: urlOf(listener.port), state: 'open' as const }];
      return failed === '' ? [] : [{ ...row, url: urlOf(config.port), state: 'failed' as const, why: failed }];
    },
    start: () => void follow(),
    setTls(material) {
      tls = tlsOf(material);
      listener?.setTls(tls);
    },
    async close() {
      ending.abort();
      wake?.();
      await close();
    },
  };
}

/** The authority's own certificate for this host: a token's fingerprint leads to it, whatever `tls.certificate` says. */
function tlsOf({ own, tls }: Material): EnrolTls {
  return { ...own, clientCa: tls.clientCa };
}

function refusal({ address, because, rule, seen, name }: EnrolRefusal): ['peer.refused', EventFields<'peer.refused'>] {
  const identity = name === '' ? {} : { identity: identityKey({ realm: OWN_REALM, name }) };
  const reason = rule === 'enrol.rate' ? 'connection-rate-exceeded' : 'not-authorized';
  const layer = rule === 'enrol.rate' ? 'admission' : 'identity';
  return ['peer.refused', { layer, reason, because, rule, seen, listener: NAME, address, ...identity }];
}

function isUnreachable(fault: unknown): boolean {
  const { code } = fault as { code?: unknown };
  return code === 'MOT-0421' || code === 'MOT-0427';
}

const NAME = 'enrol';
const RETRY_MS = 1_000;
