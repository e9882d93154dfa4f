// Every error number of the program: the admin API's table and the authority's, which have no number in common.

import { ERRORS } from '@motte/admin/errors';
import { AUTHORITY_FAULTS } from '@motte/pki/protocol';

export interface CatalogueRow {
  readonly what: string;
  readonly when: string;
  readonly remedy: string;
  readonly exit: number;
}

export const CATALOGUE: ReadonlyMap<string, CatalogueRow> = new Map<string, CatalogueRow>(
  [...Object.entries<CatalogueRow>(ERRORS), ...Object.entries<CatalogueRow>(AUTHORITY_FAULTS)].sort(([a], [b]) =>
    a < b ? -1 : 1,
  ),
);
