// The policy: the one in force and those before it, what a new one would mean, and putting it in force.

import {
  NewPolicy,
  PolicyApplied,
  PolicyChecked,
  PolicyDocument,
  PolicyQuery,
  type PolicyReport,
  PolicySource,
  type PolicyVersion,
  PolicyVersions,
} from '@motte/admin/schemas';
import type { FastifyInstance } from 'fastify';
import type { AdminView } from '../ports/admin-view.ts';
import type { PolicyRow, PolicyReport as Report } from '../ports/policies.ts';

export function addPolicyRoutes(app: FastifyInstance, view: AdminView): void {
  app.get<{ Querystring: PolicyQuery }>(
    '/api/v1/policy',
    { schema: { querystring: PolicyQuery, response: { 200: PolicyDocument } } },
    async ({ query: { version } }): Promise<PolicyDocument> => {
      const { text, ...row } = view.policies.read(version === undefined ? undefined : Number(version));
      return { format: 1, policy: { ...versionOf(row), text } };
    },
  );

  app.get(
    '/api/v1/policy/versions',
    { schema: { response: { 200: PolicyVersions } } },
    async (): Promise<PolicyVersions> => ({ format: 1, versions: view.policies.list().map(versionOf) }),
  );

  app.post<{ Body: PolicySource }>(
    '/api/v1/policy/check',
    { bodyLimit: BODY_BYTES_MAX, schema: { body: PolicySource, response: { 200: PolicyChecked } } },
    async ({ body }): Promise<PolicyChecked> => ({ format: 1, report: reportOf(await view.policies.check(body)) }),
  );

  app.post<{ Body: NewPolicy }>(
    '/api/v1/policy',
    { bodyLimit: BODY_BYTES_MAX, schema: { body: NewPolicy, response: { 200: PolicyApplied } } },
    async ({ body }): Promise<PolicyApplied> => {
      const { policy, report, lost } = await view.policies.apply(body);
      return { format: 1, policy: versionOf(policy), report: reportOf(report), lost };
    },
  );
}

function versionOf({ version, appliedAtMs, by, why, file }: PolicyRow): PolicyVersion {
  return { version, applied: version === 0 ? null : new Date(appliedAtMs).toISOString(), by, why, file };
}

function reportOf({ findings, passed, failed, changes, replay }: Report): PolicyReport {
  return {
    findings: findings.map((one) => ({ ...one })),
    passed,
    failed: failed.map((one) => ({ ...one })),
    changes: changes.map(({ where, removed, added }) => ({ where, removed: [...removed], added: [...added] })),
    replay: replay === undefined ? null : { ...replay, changes: replay.changes.map((one) => ({ ...one })) },
  };
}

/** A policy at its limit, each of its characters escaped. */
const BODY_BYTES_MAX = 2 * 1024 * 1024 + 64 * 1024;
