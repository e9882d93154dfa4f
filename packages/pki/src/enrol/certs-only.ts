// Certificates as EST hands them out: a CMS SignedData that signs nothing and only carries certificates.
// RFC 7030, 4.1.3 and 4.2.3; RFC 5652, 5.1; RFC 5751, 3.2.2 calls it "certs-only".

import { loadX509 } from '../x509.ts';

/** The DER of a certs-only message with the certificates of the PEM texts. */
export async function certsOnly(pems: readonly string[]): Promise<Buffer> {
  // First, for the metadata shim that the other library needs as well.
  const x509 = await loadX509();
  const cms = await import('@peculiar/asn1-cms');
  const { AsnConvert } = await import('@peculiar/asn1-schema');
  const { Certificate } = await import('@peculiar/asn1-x509');
  const certificates = pems.map((pem) => {
    const certificate = AsnConvert.parse(x509.PemConverter.decodeFirst(pem), Certificate);
    return new cms.CertificateChoices({ certificate });
  });
  const signed = new cms.SignedData({
    version: cms.CMSVersion.v1,
    encapContentInfo: new cms.EncapsulatedContentInfo({ eContentType: cms.id_data }),
    certificates: new cms.CertificateSet(certificates),
  });
  const content = new cms.ContentInfo({ contentType: cms.id_signedData, content: AsnConvert.serialize(signed) });
  return Buffer.from(AsnConvert.serialize(content));
}
