// Every way the authority says no, in one table: code, what happened, what to do. Carried over the socket by its code.
// Does not decide exit codes; the program's catalogue of errors does.

export const AUTHORITY_FAULTS = {
  'MOT-0401': {
    what: 'the authority cannot be reached',
    remedy: 'start it with `motte start`, or run the command on the host and as the user that owns the data directory',
  },
  'MOT-0402': {
    what: 'the CA is in use by another process',
    remedy: 'another `motte start` or command holds this data directory; wait for it or stop it',
  },
  'MOT-0403': {
    what: 'the CA directory is not safe to use',
    remedy: 'give the file or directory back to the user who runs Motte: `chown`, `chmod go-rwx`, no symbolic links',
  },
  'MOT-0404': {
    what: 'the CA cannot be used',
    remedy: 'put the pki directory back from a backup; a new CA would shut out every enrolled device',
  },
  'MOT-0405': {
    what: 'the list of issued certificates is damaged',
    remedy: 'put pki/issued.jsonl back from a backup; nothing is issued while it cannot be read',
  },
  'MOT-0406': { what: 'the authority did not understand the request', remedy: undefined },
  'MOT-0407': { what: 'the authority is busy', remedy: 'try again in a minute' },
  'MOT-0408': { what: 'the authority could not write', remedy: 'check the free space and the state of the disk' },
  'MOT-0409': { what: 'the socket cannot be opened', remedy: undefined },
  'MOT-0410': {
    what: 'the certificate request was refused',
    remedy:
      'a PEM "CERTIFICATE REQUEST" with an EC key on P-256 or P-384, or RSA of 2048 to 4096 bits, signed with SHA-256 or better',
  },
  'MOT-0411': { what: 'the device already has a certificate', remedy: 'renew it, or choose another name' },
  'MOT-0412': { what: 'there is no such device', remedy: '`motte device list` shows those there are' },
  'MOT-0413': {
    what: 'the name is not allowed',
    remedy: 'a name is 1 to 63 of the characters A-Z a-z 0-9 . _ - and starts with a letter or digit',
  },
  'MOT-0414': { what: 'the authority refused to sign what it had built', remedy: 'this is a bug: please report it' },
  'MOT-0415': { what: 'the authority failed', remedy: 'its log says more' },
} as const satisfies Record<string, { what: string; remedy: string | undefined }>;

export type AuthorityFaultCode = keyof typeof AUTHORITY_FAULTS;

/** A refusal or failure of the authority: `what` and `remedy` from the table, `why` from the place it happened. */
export class AuthorityFault extends Error {
  readonly code: AuthorityFaultCode;
  readonly why: string;

  constructor(code: AuthorityFaultCode, why: string, options?: ErrorOptions) {
    super(`${AUTHORITY_FAULTS[code].what}: ${why} (${code})`, options);
    this.name = 'AuthorityFault';
    this.code = code;
    this.why = why;
  }

  get what(): string {
    return AUTHORITY_FAULTS[this.code].what;
  }

  get remedy(): string | undefined {
    return AUTHORITY_FAULTS[this.code].remedy;
  }
}

/** Whether a text received from elsewhere is one of our codes. */
export function isAuthorityFaultCode(code: unknown): code is AuthorityFaultCode {
  return typeof code === 'string' && Object.hasOwn(AUTHORITY_FAULTS, code);
}
