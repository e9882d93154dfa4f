// POST and DELETE /api/v1/policy/watches: one identity is watched, and rules are proposed that cover what it did. The POST answers
// with one line of JSON at a time, and the watch ends with the connection.

import Type, { type Static } from 'typebox';
import { format } from './parts.ts';

const identity = Type.String({ minLength: 1, maxLength: 640, description: 'NAME, or NAME@REALM' });

export const NewWatch = Type.Object(
  { identity, seconds: Type.Integer({ minimum: 1, maximum: 604_800 }) },
  { additionalProperties: false },
);

export const WatchQuery = Type.Object({ identity }, { additionalProperties: false });

export const WatchEnded = Type.Object({ format, identity: Type.String() });

const action = Type.String({ description: 'publish or subscribe' });
const count = Type.Integer({ minimum: 0 });

export const WatchedCounts = Type.Object({ topics: count, filters: count, refusals: count });

export const Proposal = Type.Object({
  identity: Type.String(),
  ended: Type.String({ description: 'time, asked, gone or stopping' }),
  seconds: Type.Integer({ description: 'that it was watched' }),
  seen: WatchedCounts,
  roles: Type.Array(Type.String(), { description: 'by which it acted' }),
  role: Type.String({ description: 'name of the proposed one' }),
  rules: Type.Array(Type.String(), { description: 'what is proposed to be allowed' }),
  denies: Type.Array(Type.Object({ role: Type.String(), rule: Type.String(), place: Type.String() }), {
    description: 'of the roles by which it acted; part of the proposed one as well',
  }),
  tests: Type.Array(Type.String()),
  refused: Type.Array(Type.Object({ action, target: Type.String(), because: Type.String(), rule: Type.String() }), {
    description: 'asked for and not given; not proposed',
  }),
  unsaid: Type.Array(Type.Object({ action, target: Type.String(), why: Type.String() }), {
    description: 'done, and in no proposed rule or test',
  }),
  unkept: Type.Object(
    { publishes: count, filters: count, refusals: count },
    { description: 'beyond the limits of a watch: counted, nothing else' },
  ),
  text: Type.String({ description: 'YAML, for review' }),
});

/** One line of the answer; the last one has the proposal. */
export const WatchLine = Type.Union([
  Type.Object({ format, seen: WatchedCounts }),
  Type.Object({ format, proposal: Proposal }),
]);

export type NewWatch = Static<typeof NewWatch>;
export type WatchQuery = Static<typeof WatchQuery>;
export type WatchEnded = Static<typeof WatchEnded>;
export type WatchedCounts = Static<typeof WatchedCounts>;
export type Proposal = Static<typeof Proposal>;
export type WatchLine = Static<typeof WatchLine>;
