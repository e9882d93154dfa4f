// What the schema cannot say of `tls.crl` and `revocation`.

import type { Mistakes } from './mistakes.ts';
import type { MotteYaml } from './schema.ts';

/** Adds the mistakes of lists and responders whose every key fits its schema. */
export function checkRevocation({ tls, revocation, waivers }: MotteYaml, mistakes: Mistakes): void {
  const ids = new Set((tls?.clientCa ?? []).map(({ id }) => id));
  const checkCa = (key: 'crl' | 'ocsp', index: number, ca: string): void => {
    if (ids.has(ca)) return;
    const why =
      ca === 'motte' ? 'motte is its own authority, which tells it at once' : `there is no ${ca} in tls.clientCa`;
    mistakes.add(['tls', key, index, 'ca'], why);
  };
  for (const [index, entry] of (tls?.crl ?? []).entries()) {
    const { ca, file, url } = entry;
    checkCa('crl', index, ca);
    if ((file === undefined) === (url === undefined))
      mistakes.add(['tls', 'crl', index], 'needs a file or a url, and not both');
    checkServerCa('crl', index, entry, mistakes);
  }
  if (revocation?.stale !== 'accept' || waivers?.['revocation.stale'] !== undefined) return;
  const need = 'accept lets in who may be revoked and needs a waiver: revocation.stale in waivers';
  mistakes.add(['revocation', 'stale'], need);
}

function checkServerCa(
  key: 'crl' | 'ocsp',
  index: number,
  { url, serverCa }: { readonly url?: string; readonly serverCa?: string },
  mistakes: Mistakes,
): void {
  if (serverCa === undefined || url?.startsWith('https://') === true) return;
  mistakes.add(['tls', key, index, 'serverCa'], 'is for a url over https alone');
}
