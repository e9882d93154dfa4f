// 0640 to 0649: what a device, or who makes it a token, is told about enrolment.

import type { ErrorRow } from './errors.ts';

export const ENROLMENT_ERRORS = {
  'MOT-0640': {
    what: 'devices cannot enrol themselves here',
    when: '`enrol: off` stands in motte.yaml, or the listener for it cannot be opened.',
    remedy: 'give `enrol.url` in motte.yaml an address that is free, and restart the broker',
    exit: 4,
  },
  'MOT-0641': {
    what: 'not an enrolment token',
    when: 'What was given to `motte enrol` is not a token, or not the whole of one.',
    remedy: 'copy the token whole, as `motte device add NAME --token` printed it; it begins with motte1_',
    exit: 2,
  },
  'MOT-0642': {
    what: 'the enrolment address cannot be reached',
    when: 'Nothing answers there: it is open only while something can be enrolled or renewed.',
    remedy: 'check the address; on the broker, `motte status` shows the listener `enrol` while it is open',
    exit: 3,
  },
  'MOT-0643': {
    what: 'not the broker that was meant',
    when: 'What answers has another CA than the token or --ca names, or a certificate that does not hold. Nothing was sent.',
    remedy: 'check address and token, and the clock of this device',
    exit: 1,
  },
  'MOT-0644': {
    what: 'the broker refused',
    when: 'It gave no certificate. A device is not told why.',
    remedy: '`motte why last` on the broker says why; a new token is made with `motte device add NAME --token`',
    exit: 1,
  },
  'MOT-0645': {
    what: 'it waits for approval',
    when: 'Somebody has to compare the fingerprint and approve the request on the broker.',
    remedy: 'run the same command again once `motte device approve` was used on the broker',
    exit: 1,
  },
  'MOT-0646': {
    what: 'nothing that can be renewed',
    when: 'The directory does not hold NAME.crt, NAME.key and ca.crt of one device, or where to renew is not known.',
    remedy:
      'name the directory that `motte enrol` or `motte device add` wrote, and the address: `motte enrol URL --renew DIR`',
    exit: 2,
  },
} as const satisfies Record<string, ErrorRow>;
