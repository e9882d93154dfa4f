// What keeps a listener from opening: one clear sentence and what to do. Not a refusal of a peer, those are events.

export type ListenerFaultCode = 'MOT-0301' | 'MOT-0403' | 'MOT-0404';

export class ListenerFault extends Error {
  override readonly name = 'ListenerFault';
  readonly code: ListenerFaultCode;
  /** Which listener, what went wrong and why, in one sentence. */
  readonly why: string;
  readonly remedy: string;

  constructor(code: ListenerFaultCode, why: string, remedy: string, cause?: unknown) {
    super(why, cause === undefined ? undefined : { cause });
    this.code = code;
    this.why = why;
    this.remedy = remedy;
  }
}

/** Explains what `listen` failed with; `where` is the listener's name and URL. */
export function explainListenError(where: string, error: NodeJS.ErrnoException): ListenerFault {
  const [why, remedy] = LISTEN_ERRORS.get(error.code ?? '') ?? [error.message, 'change the listener in motte.yaml'];
  return new ListenerFault('MOT-0301', `${where}: ${why}`, remedy, error);
}

/** Explains what OpenSSL has against certificate, key or CA. */
export function explainMaterialError(where: string, error: NodeJS.ErrnoException): ListenerFault {
  if (error.code === 'ERR_OSSL_X509_KEY_VALUES_MISMATCH') {
    const why = `${where}: the private key does not belong to the certificate`;
    return new ListenerFault('MOT-0404', why, 'name the key that the certificate was made for', error);
  }
  const why = `${where}: the certificate, its key or the client CA cannot be used: ${error.message.slice(0, 200)}`;
  return new ListenerFault('MOT-0403', why, 'check that each is a whole PEM file', error);
}

const LISTEN_ERRORS: ReadonlyMap<string, readonly [string, string]> = new Map([
  [
    'EADDRINUSE',
    ['another program listens on this port', 'stop the other program (`ss -ltnp` shows it) or choose another port'],
  ],
  ['EACCES', ['this user may not listen there', 'choose a port from 1024 on, or a directory that this user may write']],
  ['EPERM', ['this user may not listen there', 'choose a port from 1024 on, or a directory that this user may write']],
  [
    'EADDRNOTAVAIL',
    ['this machine does not have the address', 'choose one that `ip address` shows, or 0.0.0.0 for all'],
  ],
  ['EAFNOSUPPORT', ['this machine does not have this kind of address', 'choose an address that `ip address` shows']],
  ['ENOTFOUND', ['the host name is not known', 'write an address instead of the name']],
  ['EAI_AGAIN', ['the host name cannot be looked up now', 'write an address instead of the name']],
  ['EINVAL', ['the address is not valid for listening', 'choose an address that `ip address` shows']],
  ['ENOENT', ['the directory of the socket does not exist', 'make the directory, or choose another path']],
  ['ENOTDIR', ['a part of the path is not a directory', 'choose another path']],
  ['ENAMETOOLONG', ['the path of the socket is too long', 'choose a path of at most 103 bytes']],
  ['EMFILE', ['this process may not open more files', 'raise the limit of open files (`ulimit -n`)']],
]);
