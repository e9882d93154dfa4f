// What the schema cannot say of `tls.crl`, `tls.ocsp` and `revocation`.

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
  const asked = new Set<string>();
  for (const [index, entry] of (tls?.ocsp ?? []).entries()) {
    const { ca, hosts, url } = entry;
    checkCa('ocsp', index, ca);
    if (asked.has(ca)) mistakes.add(['tls', 'ocsp', index, 'ca'], `${ca} stands here twice`);
    asked.add(ca);
    if ((hosts === undefined) === (url === undefined))
      mistakes.add(['tls', 'ocsp', index], 'needs a url or hosts, and not both');
    if (hosts?.length === 0) mistakes.add(['tls', 'ocsp', index, 'hosts'], 'needs at least one');
    if (hosts === undefined) checkServerCa('ocsp', index, entry, mistakes);
  }
  for (const key of ['stale', 'unanswered'] as const) {
    if (revocation?.[key] !== 'accept' || waivers?.[`revocation.${key}`] !== undefined) continue;
    const need = `accept lets in who may be revoked and needs a waiver: revocation.${key} in waivers`;
    mistakes.add(['revocation', key], need);
  }
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
