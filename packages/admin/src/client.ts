// The admin API's client over the Unix socket of a data directory: HTTP/1.1 and JSON by node:http, nothing else loaded.

import { type OutgoingHttpHeaders, request } from 'node:http';
import { join, relative } from 'node:path';
import { type ErrorCode, isErrorCode, MotteError } from './errors.ts';
import { documentsOf } from './lines.ts';
import type { AccessChecked, AccessHolders } from './schemas/access.ts';
import type { Clients, Kicked } from './schemas/clients.ts';
import type { EffectiveConfig } from './schemas/config.ts';
import type {
  DeviceChange,
  DeviceChanged,
  DeviceDocument,
  DeviceOf,
  DeviceRemoved,
  Devices,
  NewDevice,
} from './schemas/devices.ts';
import type { NewWatch, WatchEnded, WatchLine } from './schemas/learning.ts';
import type {
  NewPolicy,
  PolicyApplied,
  PolicyChecked,
  PolicyDocument,
  PolicySource,
  PolicyVersions,
} from './schemas/policy.ts';
import type { Refusals } from './schemas/refusals.ts';
import type { Status } from './schemas/status.ts';
import type {
  IssuerRemoved,
  NewTokenIssuer,
  NewTokenRevocation,
  TokenChoice,
  TokenIssuerDocument,
  TokenLifted,
  TokenRevoked,
  Tokens,
} from './schemas/tokens.ts';
import type { NewUser, UserChanged, UserDocument, UserList, UserRemoved } from './schemas/users.ts';

/** Empty `from` and `via` leave it open. */
export interface AccessQuestion {
  readonly client: string;
  readonly action: 'publish' | 'subscribe' | 'receive';
  readonly topic: string;
  readonly qos: 0 | 1 | 2;
  readonly retain: boolean;
  readonly from: string;
  readonly via: string;
}

export interface Admin {
  status(): Promise<Status>;
  clients(): Promise<Clients>;
  kick(by: { clientId: string } | { identity: string } | { connection: number }): Promise<Kicked>;
  /** All of them for an empty query. */
  refusals(query: string, max?: number): Promise<Refusals>;
  devices(): Promise<Devices>;
  device(name: string): Promise<DeviceDocument>;
  addDevice(device: NewDevice): Promise<DeviceDocument>;
  users(): Promise<UserList>;
  addUser(user: NewUser): Promise<UserDocument>;
  setPassword(name: string, password: string): Promise<UserChanged>;
  removeUser(name: string): Promise<UserRemoved>;
  tokens(): Promise<Tokens>;
  addTokenIssuer(entry: NewTokenIssuer): Promise<TokenIssuerDocument>;
  removeTokenIssuer(issuer: string): Promise<IssuerRemoved>;
  revokeTokens(revocation: NewTokenRevocation): Promise<TokenRevoked>;
  liftRevocation(choice: TokenChoice): Promise<TokenLifted>;
  /** Answers when what does not hold any more has ended. */
  changeDevice(name: string, change: DeviceChange, of?: DeviceOf): Promise<DeviceChanged>;
  removeDevice(name: string, revocation: number, of?: DeviceOf): Promise<DeviceRemoved>;
  /** The one in force without a version. */
  policy(version?: number): Promise<PolicyDocument>;
  policyVersions(): Promise<PolicyVersions>;
  checkPolicy(source: PolicySource): Promise<PolicyChecked>;
  /** Answers when it is in force, and what does not hold any more has ended. */
  applyPolicy(policy: NewPolicy): Promise<PolicyApplied>;
  checkAccess(question: AccessQuestion): Promise<AccessChecked>;
  accessHolders(topic: string): Promise<AccessHolders>;
  /** Watches an identity; the last line has the proposal. Leaving the loop early ends the watch. */
  watch(wanted: NewWatch): AsyncIterable<WatchLine>;
  /** The watch has its last line now. */
  endWatch(identity: string): Promise<WatchEnded>;
  config(): Promise<EffectiveConfig>;
  /** Everything that is stored, as of the moment when it answers; `id` comes back in it. Read it to its end, or leave it. */
  backup(id: string): Promise<AsyncIterable<Uint8Array>>;
}

/** Where the admin socket of a data directory is, in a form short enough for every system; throws MOT-0204 if none is. */
export function adminSocketPath(data: string): string {
  const path = join(data, 'run', 'admin.sock');
  if (Buffer.byteLength(path) <= SOCKET_PATH_BYTES_MAX) return path;
  const shorter = relative(process.cwd(), path);
  if (Buffer.byteLength(shorter) <= SOCKET_PATH_BYTES_MAX) return shorter;
  throw new MotteError('MOT-0204', `${path} is longer than ${SOCKET_PATH_BYTES_MAX} bytes`);
}

/** A client for the broker on this data directory. Nothing is opened until a method is called; each throws MotteError. */
export function openAdmin(data: string): Admin {
  const socketPath = adminSocketPath(data);
  const call = <T>(method: string, path: string, body?: unknown) =>
    exchange(socketPath, method, path, body) as Promise<T>;
  return {
    status: () => call('GET', '/api/v1/status'),
    clients: () => call('GET', '/api/v1/clients'),
    kick: (by) => call('DELETE', `/api/v1/clients?${query(by)}`),
    refusals: (what, max = 20) =>
      call('GET', `/api/v1/refusals?${query(what === '' ? { max } : { query: what, max })}`),
    devices: () => call('GET', '/api/v1/devices'),
    device: (name) => call('GET', `/api/v1/devices/${encodeURIComponent(name)}`),
    addDevice: (device) => call('POST', '/api/v1/devices', device),
    users: () => call('GET', '/api/v1/users'),
    addUser: (user) => call('POST', '/api/v1/users', user),
    setPassword: (name, password) => call('PUT', `/api/v1/users/${encodeURIComponent(name)}/password`, { password }),
    removeUser: (name) => call('DELETE', `/api/v1/users/${encodeURIComponent(name)}`),
    tokens: () => call('GET', '/api/v1/tokens'),
    addTokenIssuer: (entry) => call('POST', '/api/v1/tokens/issuers', entry),
    removeTokenIssuer: (issuer) => call('DELETE', `/api/v1/tokens/issuers?${query({ issuer })}`),
    revokeTokens: (revocation) => call('POST', '/api/v1/tokens/revocations', revocation),
    liftRevocation: (choice) => call('DELETE', `/api/v1/tokens/revocations?${query({ ...choice })}`),
    changeDevice: (name, change, of = {}) =>
      call('PATCH', `/api/v1/devices/${encodeURIComponent(name)}?${query({ ...of })}`, change),
    removeDevice: (name, revocation, of = {}) =>
      call('DELETE', `/api/v1/devices/${encodeURIComponent(name)}?${query({ revocation, ...of })}`),
    policy: (version) => call('GET', `/api/v1/policy${version === undefined ? '' : `?${query({ version })}`}`),
    policyVersions: () => call('GET', '/api/v1/policy/versions'),
    checkPolicy: (source) => call('POST', '/api/v1/policy/check', source),
    applyPolicy: (policy) => call('POST', '/api/v1/policy', policy),
    checkAccess: ({ retain, ...question }) =>
      call('GET', `/api/v1/access/check?${query({ ...question, retain: String(retain) })}`),
    accessHolders: (topic) => call('GET', `/api/v1/access/who?${query({ topic })}`),
    watch: (wanted) => linesOf(socketPath, '/api/v1/policy/watches', wanted),
    endWatch: (identity) => call('DELETE', `/api/v1/policy/watches?${query({ identity })}`),
    config: () => call('GET', '/api/v1/config'),
    backup: (id) => openStream(socketPath, `/api/v1/backup?${query({ id })}`),
  };
}

function query(fields: Record<string, string | number>): string {
  return new URLSearchParams(
    Object.entries(fields).map(([key, value]): [string, string] => [key, String(value)]),
  ).toString();
}

/** The bytes of a good answer as they come; any other becomes the MotteError it stands for. */
function openStream(socketPath: string, path: string, body?: unknown): Promise<AsyncIterable<Uint8Array>> {
  const { text, headers, method } = outgoingOf(body);
  return new Promise((resolve, reject) => {
    const outgoing = request({ socketPath, path, method, headers, agent: false });
    outgoing.setTimeout(ANSWER_DEADLINE_MS, () =>
      outgoing.destroy(new MotteError('MOT-0503', 'no answer in 30 s', NOT_KNOWN)),
    );
    outgoing.on('error', (fault) => reject(reachError(fault, socketPath)));
    outgoing.on('response', (response) => {
      // From here on silence is as long as the reader takes.
      outgoing.setTimeout(0);
      if (response.statusCode === 200) return resolve(streamOf(response, socketPath));
      const chunks: Buffer[] = [];
      response.on('data', (chunk: Buffer) => chunks.push(chunk));
      response.on('error', (fault) => reject(reachError(fault, socketPath)));
      response.on('end', () => {
        try {
          read(response.statusCode ?? 0, Buffer.concat(chunks).toString());
          reject(new MotteError('MOT-0503', 'a document instead of a stream'));
        } catch (fault) {
          reject(fault);
        }
      });
    });
    outgoing.end(text);
  });
}

async function* linesOf(socketPath: string, path: string, body: unknown): AsyncGenerator<WatchLine> {
  yield* documentsOf<WatchLine>(await openStream(socketPath, path, body));
}

function outgoingOf(body: unknown): { text?: string; headers: OutgoingHttpHeaders; method: string } {
  const headers = { host: 'localhost', accept: 'application/json' };
  if (body === undefined) return { headers, method: 'GET' };
  const text = JSON.stringify(body);
  const content = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(text) };
  return { text, headers: { ...headers, ...content }, method: 'POST' };
}

async function* streamOf(response: AsyncIterable<Uint8Array>, socketPath: string): AsyncGenerator<Uint8Array> {
  try {
    yield* response;
  } catch (fault) {
    throw reachError(fault as Error, socketPath);
  }
}

function exchange(socketPath: string, method: string, path: string, body: unknown): Promise<unknown> {
  const { text, headers } = outgoingOf(body);
  return new Promise((resolve, reject) => {
    const outgoing = request({ socketPath, method, path, headers, agent: false, timeout: ANSWER_DEADLINE_MS });
    outgoing.on('timeout', () => outgoing.destroy(new MotteError('MOT-0503', 'no answer in 30 s', NOT_KNOWN)));
    outgoing.on('error', (fault) => reject(reachError(fault, socketPath)));
    outgoing.on('response', (response) => {
      const chunks: Buffer[] = [];
      let bytes = 0;
      response.on('data', (chunk: Buffer) => {
        bytes += chunk.length;
        if (bytes > ANSWER_BYTES_MAX) outgoing.destroy(new MotteError('MOT-0503', 'an answer above 256 MiB'));
        else chunks.push(chunk);
      });
      response.on('error', (fault) => reject(reachError(fault, socketPath)));
      response.on('end', () => {
        try {
          resolve(read(response.statusCode ?? 0, Buffer.concat(chunks).toString()));
        } catch (fault) {
          reject(fault);
        }
      });
    });
    outgoing.end(text);
  });
}

/** The document of a good answer; a problem document becomes the MotteError it stands for. */
function read(status: number, text: string): unknown {
  let document: unknown;
  try {
    document = JSON.parse(text);
  } catch (cause) {
    throw new MotteError('MOT-0503', `status ${status} without a JSON document`, { cause });
  }
  if (status >= 200 && status < 300) return document;
  const problem = document as { code?: unknown; detail?: unknown };
  const code: ErrorCode =
    typeof problem?.code === 'string' && isErrorCode(problem.code) ? problem.code : ('MOT-0503' as const);
  throw new MotteError(code, typeof problem?.detail === 'string' ? problem.detail : `status ${status}`);
}

function reachError(fault: Error & { code?: string }, socketPath: string): MotteError {
  if (fault instanceof MotteError) return fault;
  switch (fault.code) {
    case 'ENOENT':
    case 'ENOTDIR':
    case 'ECONNREFUSED':
      return new MotteError('MOT-0501', `nothing answers on ${socketPath}`, { cause: fault });
    case 'ECONNRESET':
    case 'EPIPE':
      return new MotteError('MOT-0503', 'it ended before it had answered', { ...NOT_KNOWN, cause: fault });
    case 'EACCES':
    case 'EPERM':
      return new MotteError('MOT-0502', `${socketPath} belongs to another user`, { cause: fault });
    default:
      return new MotteError('MOT-0503', fault.message, { cause: fault });
  }
}

/** sun_path has 104 bytes where it is shortest, one of them the final zero. */
const SOCKET_PATH_BYTES_MAX = 103;
const ANSWER_DEADLINE_MS = 30_000;
const ANSWER_BYTES_MAX = 256 * 1024 * 1024;

/** What was asked for may have been done before the answer was lost. */
const NOT_KNOWN = {
  remedy: 'it may have been done all the same: look at `motte status`, and at what was to change, before you try again',
};
