// What the authority does for each request, whichever way it came: the CA, the ledger and one queue, so that of two
// requests for one name only the first is served. Knows no sockets and no processes; the caller holds the lock.

import { mkdir, realpath } from 'node:fs/promises';
import { join } from 'node:path';
import { BackupDesk } from '../backup/desk.ts';
import { type Ca, caExists, createCa, loadCa } from '../issue/ca.ts';
import { type IssuedRecord, Ledger } from '../issue/ledger.ts';
import { parseCertificationRequest } from '../issue/request.ts';
import { type SignedCertificate, sign } from '../issue/sign.ts';
import { DEVICE_HISTORY_MAX, DEVICE_PAGE } from '../limits.ts';
import { ensurePrivateDirectory, unwritable } from '../private-files.ts';
import { deviceProfile } from '../profiles/device.ts';
import { serverProfile } from '../profiles/server.ts';
import { AuthorityFault } from '../protocol/faults.ts';
import type { DeviceSummary, Method, Methods } from '../protocol/messages.ts';
import { OWN_REALM, parseDeviceName } from '../protocol/names.ts';

/** Asks for one method, here or over a socket; rejects with an AuthorityFault. */
export type Call = <M extends Method>(method: M, params: Methods[M]['params']) => Promise<Methods[M]['result']>;

export interface Core {
  readonly call: Call;
  readonly fingerprint: string;
  /** True if this start made the CA. */
  readonly created: boolean;
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
  /** Makes the CA if there is none; otherwise that is MOT-0436. */
  readonly create: boolean;
}

/** Loads the CA; the caller holds the lock on `pki`. Throws MOT-0423 to MOT-0425, MOT-0428, MOT-0436. */
export async function openCore(pki: string, { now, create }: CoreOptions): Promise<Core> {
  const ledger = await Ledger.open(join(pki, 'issued.jsonl'));
  try {
    const created = !(await caExists(pki));
    if (created) {
      if (ledger.hasLeaves) {
        throw new AuthorityFault('MOT-0424', `${join(pki, 'ca')} is gone, but certificates were issued`);
      }
      if (!create) throw new AuthorityFault('MOT-0436', pki);
      await createCa(pki, now(), (certificate) => ledger.append(recordOf(certificate, 'creation', now())));
    }
    const ca = await loadCa(pki);
    const desk = new BackupDesk(pki, ledger, ca.fingerprint);
    return {
      call: dispatcher(ca, ledger, desk, now),
      fingerprint: ca.fingerprint,
      created,
      close: () => ledger.close(),
    };
  } catch (fault) {
    await ledger.close();
    throw fault;
  }
}

function dispatcher(ca: Ca, ledger: Ledger, desk: BackupDesk, now: () => number): Call {
  let last: Promise<unknown> = Promise.resolve();
  const inTurn = <T>(work: () => Promise<T>): Promise<T> => {
    const turn = last.then(work, work);
    last = turn.catch(() => undefined);
    return turn;
  };
  const handlers: { [M in Method]: (params: Methods[M]['params']) => Promise<Methods[M]['result']> } = {
    'ca.info': async () => ({
      fingerprint: ca.fingerprint,
      realm: OWN_REALM,
      root: ca.root,
      issuing: ca.issuing,
      devices: ledger.deviceNames.length,
    }),
    'device.issue': (params) => inTurn(() => issueDevice(ca, ledger, params, now())),
    'device.list': async ({ after }) => listDevices(ledger, after),
    'device.show': async ({ name }) => showDevice(ledger, name),
    'backup.begin': (params) =>
      inTurn(async () => {
        await desk.begin(params);
        return {};
      }),
    'backup.read': ({ id }) => inTurn(async () => ({ base64: await desk.read(id) })),
    'server.issue': ({ csr }) => inTurn(() => issueServer(ca, ledger, csr, now())),
    'trust.read': async () => ({
      root: ca.rootPem,
      issuing: ca.issuingPem,
      fingerprint: ca.fingerprint,
      realm: OWN_REALM,
    }),
  };
  return (method, params) => handlers[method](params);
}

async function issueDevice(ca: Ca, ledger: Ledger, params: Methods['device.issue']['params'], nowMs: number) {
  const plan = deviceProfile(params.name);
  const earlier = ledger.device(plan.commonName)?.at(-1);
  if (earlier !== undefined && !params.force) {
    throw new AuthorityFault('MOT-0431', `${plan.commonName} has one that ends on ${earlier.notAfter}`);
  }
  const { publicKey } = await parseCertificationRequest(params.csr);
  const certificate = await sign(plan, publicKey, ca.issuer, nowMs);
  const record = recordOf(certificate, 'authority', nowMs);
  await ledger.append(record);
  return {
    name: plan.commonName,
    realm: OWN_REALM,
    certificate: certificate.pem,
    issuing: ca.issuingPem,
    root: ca.rootPem,
    serial: record.serial,
    notBefore: record.notBefore,
    notAfter: record.notAfter,
    fingerprint: record.fingerprint,
  };
}

async function issueServer(ca: Ca, ledger: Ledger, csr: string, nowMs: number) {
  const { publicKey, alternativeNames } = await parseCertificationRequest(csr);
  const certificate = await sign(serverProfile(alternativeNames), publicKey, ca.issuer, nowMs);
  const record = recordOf(certificate, 'broker', nowMs);
  await ledger.append(record);
  return { certificate: certificate.pem, issuing: ca.issuingPem, serial: record.serial, notAfter: record.notAfter };
}

function listDevices(ledger: Ledger, after: string) {
  const names = ledger.deviceNames;
  const first = after === '' ? 0 : names.findIndex((name) => name > after);
  const page = first === -1 ? [] : names.slice(first, first + DEVICE_PAGE);
  const devices = page.flatMap((name) => summaryOf(ledger.device(name) ?? []));
  return { devices, more: first !== -1 && first + DEVICE_PAGE < names.length };
}

function showDevice(ledger: Ledger, name: string) {
  const records = ledger.device(parseDeviceName(name)) ?? [];
  const latest = records.at(-1);
  const [summary] = summaryOf(records);
  if (latest === undefined || summary === undefined) throw new AuthorityFault('MOT-0432', name);
  const history = records.slice(-DEVICE_HISTORY_MAX).reverse();
  return {
    ...summary,
    realm: OWN_REALM,
    certificate: latest.certificate,
    history: history.map(({ serial, notAfter, issuedAt }) => ({ serial, notAfter, issuedAt })),
  };
}

/** One summary, or none without records. */
function summaryOf(records: readonly IssuedRecord[]): DeviceSummary[] {
  const latest = records.at(-1);
  if (latest === undefined) return [];
  const { name, serial, fingerprint, notBefore, notAfter, issuedAt } = latest;
  return [{ name, serial, fingerprint, notBefore, notAfter, issuedAt, certificates: records.length }];
}

function recordOf(certificate: SignedCertificate, via: IssuedRecord['via'], nowMs: number): IssuedRecord {
  const { plan } = certificate;
  return {
    format: 1,
    issuedAt: new Date(nowMs).toISOString(),
    notBefore: new Date(certificate.notBeforeMs).toISOString(),
    notAfter: new Date(certificate.notAfterMs).toISOString(),
    profile: plan.profile,
    name: plan.commonName,
    alternativeNames: plan.alternativeNames.map(({ type, value }) => `${type}:${value}`),
    serial: certificate.serial,
    fingerprint: certificate.fingerprint,
    via,
    certificate: certificate.pem,
  };
}
