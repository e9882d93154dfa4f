// Every way the authority says no, in one table with the rows of the program's catalogue of errors. Only the code and
// the reason travel over the socket.

interface FaultRow {
  /** The start of the message: what could not be done. */
  readonly what: string;
  /** When it happens. */
  readonly when: string;
  readonly remedy: string;
  /** The exit code of a command that ends with it. */
  readonly exit: 1 | 2 | 3 | 4;
}

export const AUTHORITY_FAULTS = {
  'MOT-0421': {
    what: 'the authority cannot be reached',
    when: 'Nobody listens on its socket, or no answer comes in time.',
    remedy:
      'start it with `motte start`; run the command as the user that owns the data directory, with an authority apart as root',
    exit: 3,
  },
  'MOT-0422': {
    what: 'the CA is in use',
    when: 'Another authority or command holds the lock on the pki directory.',
    remedy: 'wait for the other process or stop it; nothing needs to be removed by hand',
    exit: 4,
  },
  'MOT-0423': {
    what: 'the CA directory is not safe to use',
    when: 'A file or directory of the CA belongs to another user, is open to others, is a link or is none of ours.',
    remedy: 'give it back to the user that runs Motte: `chown`, `chmod go-rwx`, no symbolic links',
    exit: 4,
  },
  'MOT-0424': {
    what: 'the CA cannot be used',
    when: 'A key or certificate of the CA is missing, damaged, of another CA, or past its end.',
    remedy: 'put the pki directory back from a backup; a new CA would shut out every enrolled device',
    exit: 4,
  },
  'MOT-0425': {
    what: 'the list of issued certificates is damaged',
    when: 'A line of pki/issued.jsonl cannot be read.',
    remedy: 'put pki/issued.jsonl back from a backup; nothing is issued while it cannot be read',
    exit: 4,
  },
  'MOT-0426': {
    what: 'the authority did not understand',
    when: 'A request or an answer breaks the protocol, or asks for what this socket does not give.',
    remedy: 'check that the program and the running authority are of one version',
    exit: 2,
  },
  'MOT-0427': {
    what: 'the authority is busy',
    when: 'There are too many connections or requests, or a request took too long to arrive.',
    remedy: 'try again in a minute',
    exit: 3,
  },
  'MOT-0428': {
    what: 'the authority could not write',
    when: 'The disk refused; nothing was issued.',
    remedy: 'check the free space and the state of the disk',
    exit: 4,
  },
  'MOT-0429': {
    what: 'the socket cannot be opened',
    when: 'Its path is too long, its directory is not fit for it, or something else stands there: another authority or a file.',
    remedy:
      'use a shorter data directory, or move away what stands there; a directory for sockets is ours and only ours to write',
    exit: 4,
  },
  'MOT-0430': {
    what: 'the certificate request was refused',
    when: 'It cannot be read, is not signed by its own key, has a weak key, or asks for names it may not have.',
    remedy: 'send one PEM "CERTIFICATE REQUEST" with a key on P-256 or P-384, or RSA of 2048 to 4096 bits',
    exit: 2,
  },
  'MOT-0431': {
    what: 'the device already has a certificate',
    when: 'A name is certified a second time without saying that this is meant.',
    remedy: 'renew it, or choose another name',
    exit: 1,
  },
  'MOT-0432': {
    what: 'there is no such device',
    when: 'No certificate was ever issued under this name.',
    remedy: '`motte device list` shows those there are',
    exit: 1,
  },
  'MOT-0433': {
    what: 'the name is not allowed',
    when: 'A device is to get a name that could be mistaken for something else.',
    remedy: 'use 1 to 63 of A-Z a-z 0-9 . _ - with a letter or digit first',
    exit: 2,
  },
  'MOT-0434': {
    what: 'the authority refused to sign what it had built',
    when: 'The last look before signing found a certificate that is not as its profile demands.',
    remedy: 'nothing was issued; this is a fault of Motte, please report it',
    exit: 4,
  },
  'MOT-0435': {
    what: 'the authority failed',
    when: 'Something happened that it has no rule for.',
    remedy: 'its log says more; please report it',
    exit: 4,
  },
  'MOT-0436': {
    what: 'there is no CA here',
    when: 'A command that needs the CA runs on a data directory that was never started.',
    remedy: 'run `motte start` once, it makes the CA; or name the right directory with --data',
    exit: 4,
  },
  'MOT-0437': {
    what: 'the clock cannot be right',
    when: "It stands before the CA's own beginning.",
    remedy: 'set the time of this host, then try again',
    exit: 4,
  },
  'MOT-0438': {
    what: "the authority's part of the backup cannot be used",
    when: 'It is not whole, belongs to another backup, or a later backup ended it while it was read.',
    remedy: 'make the backup again, or use another one',
    exit: 4,
  },
  'MOT-0439': {
    what: 'not a key for backups',
    when: 'A recipient is not of the form age1…, an identity not of the form AGE-SECRET-KEY-1…, or there is none.',
    remedy: 'make a pair with `age-keygen -o FILE`: the recipient stands in it as the public key',
    exit: 2,
  },
  'MOT-0440': {
    what: 'it could not be decrypted',
    when: 'The key or passphrase is another one, or the bytes are not those that were encrypted.',
    remedy: 'give the key or passphrase that the backup was made for',
    exit: 4,
  },
  'MOT-0441': {
    what: 'no later revocations there',
    when: 'What --revocations names cannot be read, is older than the backup, or is of another CA.',
    remedy: 'name the old data directory, its pki/revoked.jsonl, or a list that `motte ca crl` wrote after the backup',
    exit: 4,
  },
  'MOT-0443': {
    what: 'the list of open enrolments is damaged',
    when: 'pki/enrolment.json cannot be read as what Motte wrote there.',
    remedy: 'move the file away: tokens and requests in it are void then, and everything else stays as it is',
    exit: 4,
  },
  'MOT-0444': {
    what: 'the enrolment was refused',
    when: 'The token is wrong, used, ended or for another broker, or a device asks without one while nobody may.',
    remedy: 'make a new token with `motte device add NAME --token`; `motte why last` on the broker says what was wrong',
    exit: 1,
  },
  'MOT-0446': {
    what: 'too many enrolments are open',
    when: 'As many tokens or requests are remembered as there may be.',
    remedy: 'see `motte device requests`; deny what nobody needs, or wait until it ends',
    exit: 1,
  },
  'MOT-0447': {
    what: 'there is no such request',
    when: 'No device that waits for approval fits what was named, or several do.',
    remedy: 'see `motte device requests` and name one by its id',
    exit: 1,
  },
  'MOT-0448': {
    what: 'the renewal was refused',
    when: 'The certificate is not one that may be renewed, or its key did not sign the request.',
    remedy: 'enrol the device anew; `motte why last` on the broker says what was wrong',
    exit: 1,
  },
  'MOT-0461': {
    what: 'the CA is being replaced already',
    when: '`motte ca rotate` is asked for a second time before the first replacement is finished.',
    remedy: '`motte ca show` says which devices have not moved; `motte ca rotate --finish` ends it',
    exit: 1,
  },
  'MOT-0462': {
    what: 'devices have not moved to the new CA',
    when: 'A replacement is to be finished, and some devices still have a certificate of the old CA.',
    remedy: 'renew them, or revoke those that are gone; --force shuts them out until they are enrolled anew',
    exit: 1,
  },
  'MOT-0463': {
    what: 'the CA is not being replaced',
    when: 'A replacement is to be finished that was not begun.',
    remedy: 'begin one with `motte ca rotate --overlap 30d`',
    exit: 1,
  },
  'MOT-0464': {
    what: 'not a duration for an overlap',
    when: 'The overlap of two CAs is not a number with h, d or w behind it, or too long.',
    remedy: 'write it as 12h, 30d or 8w',
    exit: 2,
  },
  'MOT-0465': {
    what: 'the broker has not learned of the new CA',
    when: 'The authority replaced the CA, and the running broker goes on with what it knew.',
    remedy: 'look at `motte status` and the log; a restart makes it read everything anew',
    exit: 1,
  },
  'MOT-0466': {
    what: 'the list of revoked certificates is damaged',
    when: 'A line of pki/revoked.jsonl cannot be read.',
    remedy: 'put pki/revoked.jsonl back from a backup; without it, certificates that were revoked would be good again',
    exit: 4,
  },
  'MOT-0467': {
    what: 'the device has no such certificate',
    when: 'A certificate is to be revoked by a serial number that was never issued to this device.',
    remedy: '`motte device show NAME` lists its certificates with their serial numbers',
    exit: 1,
  },
  'MOT-0476': {
    what: 'the CA key is locked',
    when: 'It is kept under a passphrase, and pki/authority.yaml names none, or another one.',
    remedy: 'name the file or credential with the right passphrase in pki/authority.yaml',
    exit: 4,
  },
  'MOT-0477': {
    what: 'the signer did not sign',
    when: 'The command that holds the CA key is missing, failed, took too long, or signed with another key.',
    remedy: 'run the command by hand as the user that runs Motte; nothing was issued',
    exit: 4,
  },
  'MOT-0478': {
    what: "the authority's configuration is refused",
    when: 'pki/authority.yaml has a mistake, or names a file that is not what it should be.',
    remedy: 'docs/how-to/keep-the-ca-key-in-an-hsm.md shows every key of it',
    exit: 4,
  },
  'MOT-0479': {
    what: 'the authority does not know what time it is',
    when: 'The clock of its machine is more than an hour behind a time that it has known, or the day on which this Motte was built: what it would date is refused.',
    remedy: 'set the clock; if that later time was wrong, stop the authority and remove pki/time.json',
    exit: 4,
  },
} as const satisfies Record<string, FaultRow>;

export type AuthorityFaultCode = keyof typeof AUTHORITY_FAULTS;

/** A refusal or failure of the authority: all but `why` comes from the table. */
export class AuthorityFault extends Error {
  readonly code: AuthorityFaultCode;
  readonly why: string;

  constructor(code: AuthorityFaultCode, why: string, options?: ErrorOptions) {
    super(`${AUTHORITY_FAULTS[code].what}: ${why}`, options);
    this.name = 'AuthorityFault';
    this.code = code;
    this.why = why;
  }

  get remedy(): string {
    return AUTHORITY_FAULTS[this.code].remedy;
  }

  get exit(): 1 | 2 | 3 | 4 {
    return AUTHORITY_FAULTS[this.code].exit;
  }
}

/** Whether a text received from elsewhere is one of our codes. */
export function isAuthorityFaultCode(code: unknown): code is AuthorityFaultCode {
  return typeof code === 'string' && Object.hasOwn(AUTHORITY_FAULTS, code);
}
