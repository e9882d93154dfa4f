// GET /api/v1/policy and /policy/versions, POST /api/v1/policy and /policy/check: who may do what, and what a change of it means.

import Type, { type Static } from 'typebox';
import { format, time } from './parts.ts';

export const PolicyVersion = Type.Object({
  version: Type.Integer({ description: '0 is the built-in one' }),
  applied: Type.Union([time, Type.Null()], { description: 'null for the built-in one' }),
  by: Type.String({ description: 'who applied it, as they say' }),
  why: Type.String(),
  file: Type.String(),
});

export const PolicyDocument = Type.Object({
  format,
  policy: Type.Intersect([PolicyVersion, Type.Object({ text: Type.String({ description: 'YAML' }) })]),
});

export const PolicyVersions = Type.Object({ format, versions: Type.Array(PolicyVersion) });

export const PolicyQuery = Type.Object(
  { version: Type.Optional(Type.String({ pattern: '^(?:0|[1-9][0-9]{0,8})$' })) },
  { additionalProperties: false },
);

/** Its own limits say more than a schema can. */
const text = Type.String({ description: 'YAML' });
const file = Type.String({ minLength: 1, maxLength: 200, description: 'its name in every place' });

export const PolicySource = Type.Object({ text, file }, { additionalProperties: false });

export const NewPolicy = Type.Object(
  {
    text,
    file,
    by: Type.String({ minLength: 1, maxLength: 100 }),
    why: Type.String({ maxLength: 500 }),
    strict: Type.Boolean({ description: 'findings refuse it, too' }),
  },
  { additionalProperties: false },
);

const lines = Type.Array(Type.String());

const answer = Type.Union([Type.Literal('allowed'), Type.Literal('denied'), Type.Literal('some messages')]);

export const PolicyReplay = Type.Object({
  clients: Type.Integer({ description: 'sessions that were looked at' }),
  skipped: Type.Integer({
    description: 'sessions that were not, or only in part, because there are too many or the policy is too costly',
  }),
  decisions: Type.Integer(),
  changes: Type.Array(
    Type.Object({
      identity: Type.String(),
      clientId: Type.String(),
      action: Type.Union([Type.Literal('publish'), Type.Literal('subscribe')]),
      target: Type.String(),
      from: answer,
      to: answer,
      because: Type.String(),
    }),
  ),
  more: Type.Integer({ description: 'changes that are not listed' }),
});

export const PolicyReport = Type.Object({
  findings: Type.Array(Type.Object({ id: Type.String(), place: Type.String(), why: Type.String() })),
  passed: Type.Integer(),
  failed: Type.Array(Type.Object({ place: Type.String(), test: Type.String(), because: Type.String() })),
  changes: Type.Array(Type.Object({ where: Type.String(), removed: lines, added: lines }), {
    description: 'against the policy in force',
  }),
  replay: Type.Union([PolicyReplay, Type.Null()], {
    description: 'what it means for the sessions that are there; null where no broker runs',
  }),
});

export const PolicyChecked = Type.Object({ format, report: PolicyReport });

export const PolicyApplied = Type.Object({
  format,
  policy: PolicyVersion,
  report: PolicyReport,
  lost: Type.Object({
    subscriptions: Type.Integer({ description: 'that ended, connected and away' }),
    connections: Type.Integer({ description: 'that ended with them' }),
  }),
});

export type PolicyVersion = Static<typeof PolicyVersion>;
export type PolicyDocument = Static<typeof PolicyDocument>;
export type PolicyVersions = Static<typeof PolicyVersions>;
export type PolicyQuery = Static<typeof PolicyQuery>;
export type PolicySource = Static<typeof PolicySource>;
export type NewPolicy = Static<typeof NewPolicy>;
export type PolicyReport = Static<typeof PolicyReport>;
export type PolicyChecked = Static<typeof PolicyChecked>;
export type PolicyApplied = Static<typeof PolicyApplied>;
