// GET /api/v1/status.

import { Status } from '@motte/admin/schemas';
import type { FastifyInstance } from 'fastify';
import type { AdminView, HealthFinding } from '../ports/admin-view.ts';

export function addStatusRoutes(app: FastifyInstance, view: AdminView): void {
  app.get('/api/v1/status', { schema: { response: { 200: Status } } }, async (): Promise<Status> => statusOf(view));
}

/** What keeps the broker from being wholly well: listeners that are not open, then what the view adds. */
export function healthOf(view: AdminView): HealthFinding[] {
  const closed = view.listeners
    .filter((listener) => listener.state !== 'open')
    .map((listener) => ({
      subject: 'listener',
      why: `${listener.name} (${listener.url}) is ${listener.state}${listener.why === undefined ? '' : `: ${listener.why}`}`,
    }));
  return [...closed, ...view.findings()];
}

function statusOf(view: AdminView): Status {
  const findings = healthOf(view);
  const authority = view.authority();
  return {
    format: 1,
    version: view.version,
    pid: view.pid,
    phase: view.phase,
    healthy: view.phase === 'serving' && findings.length === 0,
    startedAt: new Date(view.startedAtMs).toISOString(),
    uptimeSeconds: Math.max(0, Math.floor((Date.now() - view.startedAtMs) / 1000)),
    configNumber: view.configNumber,
    caFingerprint: authority.fingerprint,
    caTrusted: [...authority.trusted],
    authoritySeparated: authority.separated,
    listeners: [...view.listeners],
    findings,
    ending: view.ending().map(({ kind, name, notAfterMs }) => ({
      kind,
      name,
      notAfter: new Date(notAfterMs).toISOString(),
      daysLeft: Math.floor((notAfterMs - Date.now()) / DAY_MS),
    })),
    counters: { ...view.counters },
  };
}

const DAY_MS = 86_400_000;
