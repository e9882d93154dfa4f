// The catalogue of everything the program or the admin API can say went wrong: one number each, with what to do.
// 00xx program, 01xx configuration, 02xx data directory (0210: disk-errors.ts), 03xx listeners, 0401 to 0419 certificates, 05xx admin API, 0601 to 0619 devices,
// 0620 to 0629 users, 0640 to 0649 enrolment (enrolment-errors.ts), 0650 to 0659 tokens (token-errors.ts),
// 07xx clients, 08xx backups, 09xx policies (policy-errors.ts), 10xx imports (import-errors.ts); 0420 to 0449 are the authority's own table. A number is never used again for something else.

import { BACKUP_ERRORS } from './backup-errors.ts';
import { DISK_ERRORS } from './disk-errors.ts';
import { ENROLMENT_ERRORS } from './enrolment-errors.ts';
import { IMPORT_ERRORS } from './import-errors.ts';
import { POLICY_ERRORS } from './policy-errors.ts';
import { TOKEN_ERRORS } from './token-errors.ts';

export { diskFault } from './disk-errors.ts';

/** 1 the answer is no · 2 wrong usage · 3 the broker cannot be reached · 4 configuration or data refused. */
export type ExitCode = 1 | 2 | 3 | 4;

export interface ErrorRow {
  /** The start of the message: what could not be done. */
  readonly what: string;
  /** When it happens. */
  readonly when: string;
  readonly remedy: string;
  readonly exit: ExitCode;
  /** HTTP status where the admin API answers with it; 500 otherwise. */
  readonly status?: number;
}

export const ERRORS = {
  'MOT-0001': {
    what: 'not built yet',
    when: 'The program was started before the clone was built.',
    remedy: 'run `npm run build` in the clone',
    exit: 2,
  },
  'MOT-0002': {
    what: 'wrong usage',
    when: 'A command, an argument or an option is not known or does not fit.',
    remedy: 'see `motte --help`, or `--help` after the command',
    exit: 2,
  },
  'MOT-0003': {
    what: 'not in this version',
    when: 'The documentation promises it, this version does not have it yet.',
    remedy: 'see CHANGELOG.md for what this version has',
    exit: 2,
    status: 501,
  },
  'MOT-0004': {
    what: 'unexpected fault',
    when: 'Something failed that should not be able to: most likely a bug of Motte.',
    remedy: 'run the command again with --debug and report what it prints',
    exit: 1,
  },
  'MOT-0005': {
    what: 'no such error number',
    when: '`motte errors` was asked for a number that is not in the catalogue.',
    remedy: 'list all of them with `motte errors`',
    exit: 1,
  },
  'MOT-0101': {
    what: 'cannot read the configuration',
    when: 'The file named by --config, or motte.yaml in the data directory, cannot be opened.',
    remedy: 'check the path and its permissions; without any file the defaults apply',
    exit: 4,
  },
  'MOT-0102': {
    what: 'configuration refused',
    when: 'The file has a mistake; each is printed as FILE:LINE:COLUMN. Nothing was started or changed.',
    remedy: 'correct the lines named above; `motte config check` tries again',
    exit: 4,
    status: 422,
  },
  'MOT-0103': {
    what: 'reload refused',
    when: 'A changed key takes effect only at a restart. The running configuration stays as it is.',
    remedy: 'restart the broker, or put the old value back',
    exit: 4,
    status: 409,
  },
  'MOT-0201': {
    what: 'cannot use the data directory',
    when: 'It is not a directory, is a symbolic link, or cannot be created, read or written.',
    remedy: 'name a directory of your own with --data or MOTTE_DATA',
    exit: 4,
  },
  'MOT-0202': {
    what: 'data directory owned by someone else',
    when: 'The directory or a file in it belongs to another user; its keys would not be safe there.',
    remedy: 'run motte as that user, or change the owner',
    exit: 4,
  },
  'MOT-0203': {
    what: 'data directory in use',
    when: 'Another motte process holds the lock and did not let go within 5 s.',
    remedy: 'stop the other process, or use another --data',
    exit: 4,
  },
  'MOT-0204': {
    what: 'path too long',
    when: 'A Unix socket below the data directory would be longer than the 103 bytes that every system takes.',
    remedy: 'use a shorter --data',
    exit: 4,
  },
  'MOT-0205': {
    what: 'registry of identities refused',
    when: 'store/registry.json cannot be read as what Motte wrote there.',
    remedy: 'restore it from a backup; nothing was changed',
    exit: 4,
  },
  'MOT-0206': {
    what: 'store refused',
    when: 'The files in store/ were written by a newer Motte or by another program.',
    remedy: 'start the Motte that wrote it, restore a backup, or use another --data; nothing was changed',
    exit: 4,
  },
  'MOT-0207': {
    what: 'store damaged',
    when: 'The files in store/ are damaged beyond what could be repaired.',
    remedy: 'restore a backup; what is left of the files was not removed',
    exit: 4,
  },
  'MOT-0208': {
    what: 'store cannot be opened',
    when: 'The disk is full or read-only, or the files in store/ cannot be read or written.',
    remedy: 'make room, or correct what the reason names',
    exit: 4,
  },
  'MOT-0209': {
    what: 'not everything was stored',
    when: 'The broker was told to end while the disk took nothing. Whatever was acknowledged is there all the same.',
    remedy: 'make room or mend the disk, then start again',
    exit: 4,
  },
  ...DISK_ERRORS,
  'MOT-0301': {
    what: 'cannot open a listener',
    when: 'The address and port are in use, not on this machine, or not permitted to this user.',
    remedy: 'free the port or change the listener in motte.yaml',
    exit: 4,
  },
  'MOT-0302': {
    what: 'cannot open the console',
    when: 'The port of console.url is in use or not permitted.',
    remedy: 'free the port, change console.url, or set `console: off`',
    exit: 4,
  },
  'MOT-0401': {
    what: 'the authority did not start',
    when: 'The process that keeps the CA ended or did not answer in time.',
    remedy: 'the reason stands in the message; `motte start --debug` prints more',
    exit: 4,
  },
  'MOT-0403': {
    what: 'cannot read a certificate or key',
    when: 'A file of tls.certificate, or of a client command, cannot be opened or is not PEM.',
    remedy: 'check the path, the permissions and the content of the file',
    exit: 4,
  },
  'MOT-0404': {
    what: 'certificate and key do not match',
    when: 'The private key of tls.certificate does not belong to its certificate.',
    remedy: 'name the key that the certificate was made for',
    exit: 4,
  },
  'MOT-0407': {
    what: 'the authority behind pki.socket cannot be used',
    when: 'Nobody answers there within 30 s of the start, or others could put a socket of their own in its place.',
    remedy:
      'look at `systemctl status motte-authority`, and that pki.socket names its broker.sock; the broker needs its group',
    exit: 4,
  },
  'MOT-0408': {
    what: 'the CA is still in the data directory',
    when: 'pki.socket is set, but the pki directory of the broker holds keys that its own user can read.',
    remedy:
      'move it to the data directory of the authority, see docs/how-to/run-as-a-service.md, or leave out pki.socket',
    exit: 4,
  },
  'MOT-0411': {
    what: 'cannot read the keys of an issuer',
    when: 'The file of `jwks` or `jwksCa` cannot be opened, is no key set, or holds no key that can be used.',
    remedy: 'put the public keys of the issuer there as a JWK set: { "keys": [ … ] }',
    exit: 4,
  },
  'MOT-0412': {
    what: 'cannot use the CA of clients',
    when: 'A file of tls.clientCa cannot be read, or a certificate in it is no CA, is weak, or is that of another CA too.',
    remedy: 'put the CA certificates of that authority there, PEM one after the other, and no others',
    exit: 4,
  },
  'MOT-0413': {
    what: 'no such authority',
    when: 'A device is to be registered with an authority that is not in tls.clientCa.',
    remedy: 'add the authority to tls.clientCa in motte.yaml first, or correct the ID',
    exit: 2,
    status: 400,
  },
  'MOT-0414': {
    what: 'cannot use a revocation list',
    when: 'A file of tls.crl that a reload names anew cannot be read, is no complete list of that authority, or is not signed by it.',
    remedy: 'put the complete list of the CA there, PEM or DER; `openssl crl -in FILE -noout -text` shows it',
    exit: 4,
  },
  'MOT-0405': {
    what: 'cannot read the request',
    when: 'The file given with --csr cannot be opened or is too large.',
    remedy: 'make one with `openssl req -new -key KEY -subj /CN=NAME -out FILE`',
    exit: 2,
  },
  'MOT-0501': {
    what: 'the broker is not running',
    when: 'Nothing answers on run/admin.sock of the data directory.',
    remedy: 'start it with `motte start`, or name its data directory with --data',
    exit: 3,
  },
  'MOT-0502': {
    what: 'no access to the broker',
    when: 'run/admin.sock belongs to another user.',
    remedy: 'run the command as the user that runs the broker',
    exit: 3,
  },
  'MOT-0503': {
    what: 'the broker did not answer as expected',
    when: 'The answer was cut off, too late, too long, or not what this version understands.',
    remedy: 'check that the program and the running broker are of one version',
    exit: 3,
  },
  'MOT-0504': {
    what: 'request refused',
    when: 'The admin API was asked for something its schema does not allow.',
    remedy: 'correct what the detail names',
    exit: 2,
    status: 400,
  },
  'MOT-0505': {
    what: 'no such resource',
    when: 'The admin API has nothing at this path.',
    remedy: 'check the path and the method',
    exit: 1,
    status: 404,
  },
  'MOT-0506': {
    what: 'not authenticated',
    when: 'Only /healthz and /readyz answer without credentials.',
    remedy: 'use the commands on this machine: they go through run/admin.sock',
    exit: 3,
    status: 401,
  },
  'MOT-0507': {
    what: 'request too large',
    when: 'The body sent to the admin API is larger than it takes.',
    remedy: 'send less at once',
    exit: 2,
    status: 413,
  },
  'MOT-0508': {
    what: 'internal fault',
    when: 'The admin API failed; the log has the cause under the same number.',
    remedy: 'look into the log of the broker',
    exit: 1,
    status: 500,
  },
  'MOT-0601': {
    what: 'not a valid name',
    when: 'Names of devices and roles are 1 to 63 of letters, digits, dot, underscore, dash; the first is a letter or digit.',
    remedy: 'choose another name',
    exit: 2,
    status: 400,
  },
  'MOT-0602': {
    what: 'the device exists',
    when: 'A device of this name is registered already.',
    remedy: 'choose another name, or look at it with `motte device show NAME`',
    exit: 1,
    status: 409,
  },
  'MOT-0603': {
    what: 'no such device',
    when: 'No device of this name is registered.',
    remedy: 'list them with `motte device list`',
    exit: 1,
    status: 404,
  },
  'MOT-0604': {
    what: 'will not overwrite a file',
    when: 'A file that would be written is there already.',
    remedy: 'name another directory with --out, or move the file away',
    exit: 1,
  },
  'MOT-0605': {
    what: 'cannot write a file',
    when: 'The directory given with --out cannot be created or written.',
    remedy: 'check the path, its permissions and the free space',
    exit: 1,
  },
  'MOT-0606': {
    what: 'no such role',
    when: 'A device is to get a role that is not there; it would have no right at all.',
    remedy: 'give it one of those that `motte policy show` has',
    exit: 2,
    status: 400,
  },
  'MOT-0620': {
    what: 'user name refused',
    when: 'Users are named as devices are: letters, digits, dot, underscore and dash, at most 63, a letter or digit first.',
    remedy: 'use 1 to 63 of A-Z a-z 0-9 . _ - with a letter or digit first',
    exit: 2,
    status: 400,
  },
  'MOT-0621': {
    what: 'already a user',
    when: 'The name is taken by a user, who logs in with a password or with SCRAM but not with both.',
    remedy: 'choose another name, `motte user passwd NAME`, or `motte user remove NAME` first',
    exit: 1,
    status: 409,
  },
  'MOT-0622': {
    what: 'no such user',
    when: 'No user of this name is registered.',
    remedy: 'list them with `motte user list`',
    exit: 1,
    status: 404,
  },
  'MOT-0623': {
    what: 'password refused',
    when: 'A new password is too short, too long, too easily guessed, or holds what no client can send.',
    remedy: 'choose a longer one, such as five words or `openssl rand -base64 18`',
    exit: 2,
    status: 400,
  },
  'MOT-0624': {
    what: 'cannot read the password',
    when: 'The file of --password-file cannot be opened, is too large, or is not text in UTF-8.',
    remedy: 'check the path and its permissions; the file holds the password and nothing else',
    exit: 2,
  },
  ...ENROLMENT_ERRORS,
  ...TOKEN_ERRORS,
  'MOT-0701': {
    what: 'no such client',
    when: 'No connection or session fits what was asked for.',
    remedy: 'list them with `motte who`',
    exit: 1,
    status: 404,
  },
  'MOT-0702': {
    what: 'the connection failed',
    when: '`motte pub` or `motte sub` could not connect, or was disconnected.',
    remedy: '`motte why last` on the broker says why it refused',
    exit: 3,
  },
  'MOT-0703': {
    what: 'the broker refused',
    when: 'The broker refused a publication or a subscription of this client.',
    remedy: '`motte why last` on the broker says which rule decided',
    exit: 1,
  },
  ...BACKUP_ERRORS,
  ...POLICY_ERRORS,
  ...IMPORT_ERRORS,
} as const satisfies Record<string, ErrorRow>;

export type ErrorCode = keyof typeof ERRORS;

const rows: ReadonlyMap<string, ErrorRow> = new Map(Object.entries(ERRORS));

/** The catalogue's row, or undefined for a number that is not in it. */
export function errorRow(code: string): ErrorRow | undefined {
  return rows.get(code);
}

/** True if the string is a number of the catalogue. */
export function isErrorCode(code: string): code is ErrorCode {
  return rows.has(code);
}

/** An error that a person can act on; printed as `motte: WHAT: WHY (MOT-nnnn)` and a line with what to do. */
export class MotteError extends Error {
  readonly code: ErrorCode;
  readonly why: string;
  readonly remedy: string;

  constructor(code: ErrorCode, why: string, options: { readonly remedy?: string; readonly cause?: unknown } = {}) {
    super(`${ERRORS[code].what}: ${why}`, options.cause === undefined ? undefined : { cause: options.cause });
    this.name = 'MotteError';
    this.code = code;
    this.why = why;
    this.remedy = options.remedy ?? ERRORS[code].remedy;
  }

  get exit(): ExitCode {
    return ERRORS[this.code].exit;
  }
}
