// A certificate request from outside -> the key it proves to hold and the names it asks for.
// Subject and everything else it wishes for are not read: a certificate says what its profile says.
// RFC 2986 (PKCS #10); RFC 5280, 4.2.1.6 (alternative names).

import { createPublicKey, type KeyObject } from 'node:crypto';
import { CSR_CHARACTERS_MAX, RSA_BITS, RSA_EXPONENT_MAX } from '../limits.ts';
import { type AlternativeName, type KeyKind, type ProfileName, PURPOSES } from '../profiles/profile.ts';
import { AuthorityFault } from '../protocol/faults.ts';
import { loadX509 } from '../x509.ts';

export interface CertificationRequest {
  /** As re-encoded by us, whatever spelling the request used. */
  readonly publicKey: KeyObject;
  readonly alternativeNames: readonly AlternativeName[];
}

const ALTERNATIVE_NAMES = '2.5.29.17';
const HASHES = ['SHA-256', 'SHA-384', 'SHA-512'];

/** Parses PEM and verifies the proof of possession; throws MOT-0430. */
export async function parseCertificationRequest(pem: string): Promise<CertificationRequest> {
  if (pem.length > CSR_CHARACTERS_MAX) throw refused(`it is longer than ${CSR_CHARACTERS_MAX} characters`);
  const blocks = pem.match(/-----BEGIN (NEW )?CERTIFICATE REQUEST-----/g);
  if (blocks?.length !== 1) throw refused('it is not one PEM block "CERTIFICATE REQUEST"');
  const x509 = await loadX509();
  try {
    const request = new x509.Pkcs10CertificateRequest(x509.PemConverter.decodeFirst(pem));
    // The key first: verifying with an absurd key is what an attacker would have us do.
    const publicKey = parseKey(request.publicKey.rawData);
    if (!HASHES.includes(request.signatureAlgorithm.hash?.name)) throw refused('it is signed with a weak hash');
    if (!(await request.verify())) throw refused('its signature does not prove that the key is held');
    return { publicKey, alternativeNames: alternativeNames(x509, request.getExtensions(ALTERNATIVE_NAMES)) };
  } catch (fault) {
    if (fault instanceof AuthorityFault) throw fault;
    throw refused('it cannot be read');
  }
}

function parseKey(spki: ArrayBuffer): KeyObject {
  let key: KeyObject;
  try {
    key = createPublicKey({ key: Buffer.from(spki), type: 'spki', format: 'der' });
  } catch {
    throw refused('its key cannot be read');
  }
  const { namedCurve, modulusLength = 0, publicExponent = 0n } = key.asymmetricKeyDetails ?? {};
  if (key.asymmetricKeyType === 'ec') {
    if (namedCurve === 'prime256v1' || namedCurve === 'secp384r1') return key;
    throw refused(`its EC key is on ${namedCurve ?? 'a curve without name'}`);
  }
  if (key.asymmetricKeyType !== 'rsa') throw refused(`its key is of type ${key.asymmetricKeyType}`);
  if (modulusLength < RSA_BITS.min || modulusLength > RSA_BITS.max)
    throw refused(`its RSA key has ${modulusLength} bits`);
  if (publicExponent < 65_537n || publicExponent > RSA_EXPONENT_MAX || publicExponent % 2n === 0n) {
    throw refused(`its RSA key has the exponent ${publicExponent}`);
  }
  return key;
}

/** Throws MOT-0430 for a key that is good, and not of a kind that the profile may have. */
export function refuseKey(profile: ProfileName, key: KeyObject): void {
  const curve = key.asymmetricKeyDetails?.namedCurve;
  const kind: KeyKind = curve === undefined ? 'RSA' : curve === 'secp384r1' ? 'P-384' : 'P-256';
  const allowed: readonly KeyKind[] = PURPOSES[profile].keys;
  if (!allowed.includes(kind)) throw refused(`a ${profile} may have a key of ${allowed.join(' or ')}, this is ${kind}`);
}

type X509 = Awaited<ReturnType<typeof loadX509>>;

function alternativeNames(x509: X509, found: readonly { rawData: ArrayBuffer }[]): AlternativeName[] {
  if (found.length > 1) throw refused('it lists alternative names twice');
  return found.flatMap(({ rawData }) =>
    new x509.SubjectAlternativeNameExtension(rawData).names.items.map(({ type, value }) => {
      if (type === 'dns' || type === 'ip' || type === 'url') return { type, value };
      throw refused(`it asks for an alternative name of type ${type}`);
    }),
  );
}

function refused(why: string): AuthorityFault {
  return new AuthorityFault('MOT-0430', why);
}
