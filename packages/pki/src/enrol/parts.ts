// What every step of enrolment works on; the caller lets one step run at a time.

import type { Certifying } from '../issue/certify.ts';
import type { EnrolmentBook } from './book.ts';

export interface EnrolmentParts extends Certifying {
  readonly book: EnrolmentBook;
  /** By serial, lower-case hex. */
  readonly isRevoked: (serial: string) => boolean;
}
