// GET /api/v1/backup?id=: everything that is stored, as one stream of bytes (see ../backup).

import Type, { type Static } from 'typebox';

export const BackupQuery = Type.Object(
  { id: Type.String({ pattern: '^[0-9a-f]{32}$' }) },
  { additionalProperties: false },
);

export type BackupQuery = Static<typeof BackupQuery>;
