// A certificate for a device into files of its own: key and request here or a request of the device's, certificate from the
// authority. What is reserved is written whole or taken away again; nothing is overwritten.

import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { MotteError } from '@motte/admin/errors';
import type { KeyType } from '@motte/pki';
import type { NamedProfile } from '@motte/pki/protocol';
import type { BundleFacts } from '../bundles/bundle.ts';
import type { BundleOrder } from '../bundles/order.ts';
import { askAuthority, type Place } from './ask-authority.ts';
import type { DeviceAddress } from './device-address.ts';
import { type NewFile, reserveFiles } from './new-files.ts';
import { said } from './said.ts';

export interface CertifyOptions {
  readonly place: Place;
  readonly name: string;
  /** Where the files go. */
  readonly directory: string;
  /** Path of the device's own request; undefined = a key is made here. */
  readonly csrFile: string | undefined;
  readonly keyType: KeyType;
  /** Undefined = as its latest certificate. */
  readonly profile: NamedProfile | undefined;
  readonly bundle: BundleOrder | undefined;
}

export interface Certified {
  readonly serial: string;
  readonly notAfter: string;
  readonly fingerprint: string;
  readonly written: readonly string[];
  readonly keyMadeOnHost: boolean;
}

/** Certifies and writes, then does `then`; if that fails the files are taken away. Throws MOT-0405, 0604, 0605 and AuthorityFault. */
export async function certifyDevice(options: CertifyOptions, then: () => Promise<void>): Promise<Certified> {
  const { name, directory, csrFile, bundle, profile } = options;
  const { createKeyAndCsr } = await import('@motte/pki');
  const csr = csrFile === undefined ? undefined : readCsr(csrFile);
  const wanted = filesFor(name, csr === undefined, bundle);
  const files = reserveFiles(directory, wanted);
  try {
    const made = csr === undefined ? await createKeyAndCsr(name, { type: options.keyType }) : { key: '', csr };
    // Whether the name may have one more is the caller's question.
    const issued = await askAuthority(options.place, (ca) =>
      ca.issueDevice({ name, csr: made.csr, force: true, ...(profile === undefined ? {} : { profile }) }),
    );
    files.write(
      new Map([
        ['ca.crt', issued.root],
        [`${name}.crt`, issued.certificate],
        [`${name}.key`, made.key],
        ...bundleTexts(bundle, { name, directory, root: issued.root, certificate: issued.certificate, key: made.key }),
      ]),
    );
    await then();
    const { serial, notAfter, fingerprint } = issued;
    const written = wanted.map((file) => join(directory, file.name));
    return { serial, notAfter, fingerprint, written, keyMadeOnHost: csr === undefined };
  } catch (fault) {
    files.discard();
    throw fault;
  }
}

function filesFor(name: string, withKey: boolean, order: BundleOrder | undefined): NewFile[] {
  const key = withKey ? [{ name: `${name}.key`, mode: 0o600 }] : [];
  // One of them may hold the key.
  const more = (order?.bundle.files ?? []).map((file) => ({ name: file.name(name), mode: 0o600 }));
  return [...key, { name: 'ca.crt', mode: 0o644 }, { name: `${name}.crt`, mode: 0o644 }, ...more];
}

function bundleTexts(
  order: BundleOrder | undefined,
  device: Omit<BundleFacts, keyof DeviceAddress>,
): (readonly [string, string])[] {
  if (order === undefined) return [];
  const facts = { ...device, host: order.host, port: order.port };
  return order.bundle.files.map((file) => [file.name(facts.name), file.render(facts)]);
}

function readCsr(path: string): string {
  try {
    if (statSync(path).size > CSR_BYTES_MAX)
      throw new MotteError('MOT-0405', `${path} is larger than ${CSR_BYTES_MAX} bytes`);
    return readFileSync(path, 'utf8');
  } catch (fault) {
    if (fault instanceof MotteError) throw fault;
    throw new MotteError('MOT-0405', `${path}: ${said(fault)}`, { cause: fault });
  }
}

/** One of the choices, which commander has checked it against. */
export function oneOf<T extends string>(choices: readonly [T, ...T[]], given: unknown): T {
  return choices.find((one) => one === given) ?? choices[0];
}

export const KEY_TYPES = ['ec', 'ec384', 'rsa', 'rsa3072'] as const satisfies readonly KeyType[];
const CSR_BYTES_MAX = 16 * 1024;
