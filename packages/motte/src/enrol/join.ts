// A first enrolment on the device: key, CA, certificate. The key is kept from the first moment, so that an attempt that was
// cut off is finished by the next one with the same key; nothing that is there is overwritten.

import { createPrivateKey, generateKeyPairSync, type KeyObject } from 'node:crypto';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { MotteError } from '@motte/admin/errors';
import { reserveFiles } from '../data/new-files.ts';
import { fetchCa, post } from './exchange.ts';
import { readIssued } from './issued.ts';
import { renderPlace } from './place.ts';

export interface Joining {
  readonly url: string;
  readonly name: string;
  /** The CA's, SHA-256, lower-case hex. */
  readonly fingerprint: string;
  /** The whole token; undefined to ask in a join window. */
  readonly token: string | undefined;
  readonly directory: string;
}

export interface Joined {
  readonly name: string;
  readonly notAfter: string;
  /** Paths. */
  readonly written: readonly string[];
}

/** Throws MOT-0604, MOT-0605, MOT-0642 to MOT-0645. */
export async function enrolHere({ url, name, fingerprint, token, directory }: Joining): Promise<Joined> {
  const names = ['ca.crt', `${name}.crt`, `${name}.enrol.json`];
  for (const path of names.map((file) => join(directory, file))) {
    if (existsSync(path)) throw new MotteError('MOT-0604', `${path} is there already`);
  }
  const ca = await fetchCa(url, fingerprint);
  const { createCsr } = await import('@motte/pki');
  const key = keyAt(directory, name);
  const csr = await createCsr(name, key, { type: 'ec' });
  const [path, document] = token === undefined ? ['/join', { name, csr }] : ['/enrol', { token, csr }];
  const issued = readIssued(await post(url, path, document, { ca }), { url, ca, key, name });
  const files = reserveFiles(
    directory,
    names.map((file) => ({ name: file, mode: 0o644 })),
  );
  const texts = [issued.ca, issued.certificate, renderPlace(url)];
  files.write(new Map(names.map((file, index) => [file, texts[index] ?? ''])));
  return {
    name,
    notAfter: issued.notAfter,
    written: [`${name}.key`, ...names].map((file) => join(directory, file)),
  };
}

/** A new P-256 key, or the one of an attempt that did not come to its end. */
function keyAt(directory: string, name: string): KeyObject {
  const file = `${name}.key`;
  const path = join(directory, file);
  if (existsSync(path)) {
    try {
      const key = createPrivateKey(readFileSync(path));
      if (key.asymmetricKeyDetails?.namedCurve === 'prime256v1') return key;
    } catch {
      // Not ours.
    }
    throw new MotteError('MOT-0604', `${path} is there already`);
  }
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const files = reserveFiles(directory, [{ name: file, mode: 0o600 }]);
  files.write(new Map([[file, privateKey.export({ type: 'pkcs8', format: 'pem' }).toString()]]));
  return privateKey;
}
