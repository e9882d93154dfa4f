// The TLS version of a broker: mosquitto sets one by listener, Motte the lowest for all.

import type { MosquittoConf } from './conf.ts';
import type { ImportReport } from './report.ts';

/** 1.3 where every listener with TLS asks for it and for nothing older; undefined = Motte's own lowest. */
export function tlsVersion({ scopes }: MosquittoConf, report: ImportReport): '1.3' | undefined {
  const versions = scopes.flatMap(({ listeners }) =>
    listeners.flatMap(({ settings }) => settings.get('tls_version') ?? []),
  );
  for (const { place, key, value } of versions) {
    if (value === 'tlsv1.2' || value === 'tlsv1.3') report.same(place, `${key} ${value}`);
    else
      report.insecure(
        place,
        `${key} ${value}`,
        'TLS 1.2 and later',
        'older versions are broken, and are not spoken whatever a waiver says',
      );
  }
  const listeners = scopes
    .flatMap((scope) => scope.listeners)
    .filter(({ settings }) => settings.has('certfile') || settings.has('psk_hint'));
  return versions.length > 0 &&
    versions.length === listeners.length &&
    versions.every(({ value }) => value === 'tlsv1.3')
    ? '1.3'
    : undefined;
}
