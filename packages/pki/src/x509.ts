// The one door to the X.509 library: loaded on first use, because loading it takes longer than most commands run.

type X509 = typeof import('@peculiar/x509');

let loading: Promise<X509> | undefined;

/** The library, with the metadata shim it needs loaded before it. */
export function loadX509(): Promise<X509> {
  loading ??= import('reflect-metadata').then(() => import('@peculiar/x509'));
  return loading;
}
