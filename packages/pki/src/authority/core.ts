// What the authority does for each request, whichever way it came: the CA, the ledger and one queue, so that of two
// requests for one name only the first is served. Knows no sockets and no processes; the caller holds the lock.

import { statSync } from 'node:fs';
import { mkdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { BackupDesk } from '../backup/desk.ts';
import { EnrolmentBook } from '../enrol/book.ts';
import { enrolmentHandlers } from '../enrol/desk.ts';
import type { EnrolmentParts } from '../enrol/parts.ts';
import { voidEnrolment } from '../enrol/requests.ts';
import { caExists, createCa } from '../issue/ca.ts';
import { certifyDevice } from '../issue/certify.ts';
import { endingDevices } from '../issue/ending.ts';
import { Ledger, recordOf } from '../issue/ledger.ts';
import { parseCertificationRequest } from '../issue/request.ts';
import { sign } from '../issue/sign.ts';
import { REVOCATION_PAGE, REVOCATION_WAIT_MS } from '../limits.ts';
import { ensurePrivateDirectory, unwritable, writePrivateFile } from '../private-files.ts';
import { serverProfile } from '../profiles/server.ts';
import { AuthorityFault } from '../protocol/faults.ts';
import { METHODS, type Method, type Methods } from '../protocol/methods.ts';
import { isNamedProfile, type NamedProfile, OWN_REALM, parseDeviceName } from '../protocol/names.ts';
import { CrlDesk } from '../revoke/crl.ts';
import { Revocations } from '../revoke/revocations.ts';
import { revokeDevice } from '../revoke/revoke-device.ts';
import { Floor } from '../time-floor.ts';
import { type AskPassphrase, askOnce } from './asking.ts';
import { CaDesk } from './ca-desk.ts';
import { listDevices, showDevice } from './device-records.ts';
import { readSettings } from './settings.ts';
import { Turns } from './turns.ts';

/** Asks for one method, here or over a socket; rejects with an AuthorityFault. */
export type Call = <M extends Method>(method: M, params: Methods[M]['params']) => Promise<Methods[M]['result']>;

export interface Core {
  readonly call: Call;
  readonly fingerprint: string;
  /** True if this start made the CA. */
  readonly created: boolean;
  readonly floor: Floor;
  close(): Promise<void>;
}

/** Makes the data directory if it is missing; MOT-0428. */
export async function createDataDirectory(data: string): Promise<void> {
  try {
    await mkdir(data, { recursive: true, mode: 0o700 });
  } catch (fault) {
    throw unwritable(data, fault);
  }
}

/** The real `<data>/pki`, made if missing; MOT-0423 or MOT-0428. Only the data directory itself may be a link. */
export async function openPkiDirectory(data: string): Promise<string> {
  const pki = join(await realpath(data), 'pki');
  await ensurePrivateDirectory(pki);
  return pki;
}

export interface CoreOptions {
  readonly now: () => number;
  /** When the program was built: it is no earlier. Default: when this file was written, or no time where `now` is a test's. */
  readonly builtMs?: number;
  /** Makes the CA if there is none; otherwise that is MOT-0436. */
  readonly create: boolean;
  /** Asks a person for the passphrase of the keys; absent where nobody can be asked. */
  readonly ask?: AskPassphrase;
}

/** Loads the CA; the caller holds the lock on `pki`. Throws MOT-0423 to MOT-0425, MOT-0428, MOT-0436, MOT-0466, MOT-0479. */
export async function openCore(pki: string, options: CoreOptions): Promise<Core> {
  const { create, ask } = options;
  const floor = openFloor(pki, options);
  // Never earlier than what was known: what a clock that is behind says is no date to write or to judge by.
  const now = (): number => floor.nowMs();
  const asked = askOnce(ask);
  const settings = await readSettings(pki, asked);
  const ledger = await Ledger.open(join(pki, 'issued.jsonl'));
  let revocations: Revocations | undefined;
  const turns = new Turns();
  const close = async (): Promise<void> => {
    // Whoever has the lock next must not find half of a replacement still being written.
    await turns.end();
    await revocations?.close();
    await ledger.close();
  };
  try {
    revocations = await Revocations.open(join(pki, 'revoked.jsonl'));
    const created = !(await caExists(pki));
    if (created) {
      if (ledger.hasLeaves) {
        throw new AuthorityFault('MOT-0424', `${join(pki, 'ca')} is gone, but certificates were issued`);
      }
      if (!create) throw new AuthorityFault('MOT-0436', pki);
      assertKnown(floor);
      const record: Parameters<typeof createCa>[2] = (certificate) =>
        ledger.append(recordOf(certificate, 'creation', now()));
      await createCa(pki, now(), record, undefined, settings);
    }
    const revoked = revocations;
    const isRevoked = (serial: string) => revoked.find(serial) !== undefined;
    const ca = await CaDesk.open(pki, { ledger, isRevoked }, now, { settings, reread: () => readSettings(pki, asked) });
    const authorities = () => ca.authorities;
    const book = await EnrolmentBook.open(pki);
    const desk = new BackupDesk(pki, [ledger.lines, revocations.lines], authorities);
    const call = dispatcher({
      enrolment: { ca, ledger, book, isRevoked },
      revocations,
      desk,
      crl: new CrlDesk(authorities, revocations),
      turns,
      now,
      floor,
    });
    return { call, fingerprint: ca.authorities.serving.fingerprint, created, floor, close };
  } catch (fault) {
    await close();
    throw fault;
  }
}

interface Parts {
  readonly enrolment: EnrolmentParts & { readonly ca: CaDesk };
  readonly revocations: Revocations;
  readonly desk: BackupDesk;
  readonly crl: CrlDesk;
  readonly turns: Turns;
  readonly now: () => number;
  readonly floor: Floor;
}

function openFloor(pki: string, { now, builtMs = now === Date.now ? whenBuilt() : 0 }: CoreOptions): Floor {
  return new Floor({
    path: join(pki, TIME_FILE),
    clock: { nowMs: now, monotonicMs: () => performance.now() },
    builtMs,
    keep: (text) => writePrivateFile(pki, TIME_FILE, text),
  });
}

/** Throws MOT-0479. */
function assertKnown(floor: Floor): void {
  const why = floor.unknown();
  if (why !== undefined) throw new AuthorityFault('MOT-0479', why);
}

function whenBuilt(): number {
  return statSync(fileURLToPath(import.meta.url)).mtimeMs;
}

const TIME_FILE = 'time.json';

function dispatcher({ enrolment, revocations, desk, crl, turns, now, floor }: Parts): Call {
  const { ca, ledger } = enrolment;
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => turns.take(work);
  const handlers: { [M in Method]: (params: Methods[M]['params']) => Promise<Methods[M]['result']> } = {
    'ca.info': async () => {
      const { fingerprint, root, issuing } = ca.authorities.serving;
      return { fingerprint, realm: OWN_REALM, root, issuing, devices: ledger.deviceNames.length };
    },
    'ca.show': async () => ca.show(),
    'ca.rotate': ({ overlap }) => inTurn(() => ca.rotate(overlap)),
    'ca.finish': ({ force }) => inTurn(() => ca.finish(force)),
    'ca.unmoved': async ({ after }) => ca.unmoved(after),
    'device.issue': (params) => inTurn(() => issueDevice(enrolment, params, now())),
    'device.list': async ({ after }) => listDevices(ledger, revocations, after),
    'device.show': async ({ name }) => showDevice(ledger, revocations, name),
    'device.revoke': (params) =>
      inTurn(async () => {
        const revoked = await revokeDevice(ledger, revocations, params, now());
        // The device as a whole, and not one certificate of several.
        if (params.serial === '' && params.except === '') await voidEnrolment(enrolment, revoked.name, now());
        return revoked;
      }),
    'ca.crl': ({ number, at }) => inTurn(() => crl.read(number, at, now())),
    'backup.begin': (params) =>
      inTurn(async () => {
        await desk.begin(params);
        return {};
      }),
    'backup.read': ({ id }) => inTurn(async () => ({ base64: await desk.read(id) })),
    'server.issue': ({ csr }) => inTurn(() => issueServer(ca, ledger, csr, now())),
    'trust.read': async () => ca.trust(),
    'device.ending': async ({ days }) => endingDevices(ledger, enrolment.isRevoked, days, now()),
    ...enrolmentHandlers(enrolment, now, inTurn),
    'revocation.read': async ({ after, wait }) => {
      if (wait) await revocations.grown(after, REVOCATION_WAIT_MS);
      const news = revocations.after(after, REVOCATION_PAGE);
      const number = Math.min(after, revocations.number) + news.length;
      return {
        number,
        revoked: news.map(({ serial, name, reason }) => ({ serial, name, superseded: reason === 'superseded' })),
        more: number < revocations.number,
      };
    },
  };
  return async (method, params) => {
    if ('dated' in METHODS[method]) assertKnown(floor);
    return handlers[method](params);
  };
}

async function issueDevice(parts: EnrolmentParts, params: Methods['device.issue']['params'], nowMs: number) {
  const name = parseDeviceName(params.name);
  const profile = profileOf(parts.ledger, params);
  const earlier = parts.ledger.device(name)?.at(-1);
  if (earlier !== undefined && !params.force) {
    throw new AuthorityFault('MOT-0431', `${name} has one that ends on ${earlier.notAfter}`);
  }
  const { publicKey } = await parseCertificationRequest(params.csr);
  // A token or a request for the name would let in somebody else under it.
  await voidEnrolment(parts, name, nowMs);
  return certifyDevice(parts, { name, profile, publicKey, via: 'authority' }, nowMs);
}

function profileOf(ledger: Ledger, { name, profile }: Methods['device.issue']['params']): NamedProfile {
  const asked = profile === '' ? (ledger.device(name)?.at(-1)?.profile ?? 'device') : profile;
  if (isNamedProfile(asked)) return asked;
  throw new AuthorityFault('MOT-0426', 'profile is not device, gateway, steward or administrator');
}

async function issueServer(ca: CaDesk, ledger: Ledger, csr: string, nowMs: number) {
  const { publicKey, alternativeNames } = await parseCertificationRequest(csr);
  const { issuer, issuingPem } = ca.authorities.serving;
  const certificate = await sign(serverProfile(alternativeNames), publicKey, issuer, nowMs);
  const record = recordOf(certificate, 'broker', nowMs);
  await ledger.append(record);
  return { certificate: certificate.pem, issuing: issuingPem, serial: record.serial, notAfter: record.notAfter };
}
