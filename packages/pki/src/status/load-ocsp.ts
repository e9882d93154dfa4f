// The one door to the schemas of OCSP: loaded on first use, since most brokers never ask a responder.

interface Ocsp {
  readonly asn1: typeof import('@peculiar/asn1-schema');
  readonly ocsp: typeof import('@peculiar/asn1-ocsp');
  readonly x509: typeof import('@peculiar/asn1-x509');
}

let loading: Promise<Ocsp> | undefined;

export function loadOcsp(): Promise<Ocsp> {
  loading ??= load();
  return loading;
}

async function load(): Promise<Ocsp> {
  const [asn1, ocsp, x509] = await Promise.all([
    import('@peculiar/asn1-schema'),
    import('@peculiar/asn1-ocsp'),
    import('@peculiar/asn1-x509'),
  ]);
  return { asn1, ocsp, x509 };
}
