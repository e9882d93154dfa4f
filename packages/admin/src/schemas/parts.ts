// Pieces that several routes share.

import Type from 'typebox';

/** Every document says which format it has; raised when a field changes its meaning or goes away. */
export const format = Type.Literal(1, { description: 'format of this document' });

/** Names of devices, users, roles and groups. */
export const NAME_PATTERN = '^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$';

export const name = Type.String({ pattern: NAME_PATTERN });

export const time = Type.String({ description: 'RFC 3339, UTC' });

/** RFC 9457. */
export const Problem = Type.Object({
  type: Type.String(),
  title: Type.String(),
  status: Type.Integer(),
  detail: Type.String(),
  code: Type.String({ description: 'number in the catalogue of errors' }),
});
