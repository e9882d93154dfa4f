// GET /api/v1/status: is every listener open, and what is going on in numbers.

import Type, { type Static } from 'typebox';
import { format, time } from './parts.ts';

export const ListenerStatus = Type.Object({
  name: Type.String(),
  url: Type.String(),
  authentication: Type.String(),
  state: Type.Union([Type.Literal('open'), Type.Literal('failed'), Type.Literal('closed')]),
  connections: Type.Integer(),
  why: Type.Optional(Type.String()),
});

export const Status = Type.Object({
  format,
  version: Type.String(),
  pid: Type.Integer(),
  phase: Type.Union([Type.Literal('starting'), Type.Literal('serving'), Type.Literal('stopping')]),
  healthy: Type.Boolean(),
  startedAt: time,
  uptimeSeconds: Type.Integer(),
  configNumber: Type.Integer(),
  caFingerprint: Type.String(),
  /** Roots whose devices are let in: two while the CA is being replaced. */
  caTrusted: Type.Array(Type.String()),
  authoritySeparated: Type.Boolean(),
  listeners: Type.Array(ListenerStatus),
  findings: Type.Array(Type.Object({ subject: Type.String(), why: Type.String() })),
  ending: Type.Array(
    Type.Object({
      kind: Type.Union([Type.Literal('server'), Type.Literal('ca'), Type.Literal('device')]),
      name: Type.String(),
      notAfter: time,
      daysLeft: Type.Integer({ description: 'below 0 once it has ended' }),
    }),
    { description: 'certificates that end next, the first one first; of devices those that end within 30 days' },
  ),
  counters: Type.Record(Type.String(), Type.Integer()),
});

export type Status = Static<typeof Status>;
