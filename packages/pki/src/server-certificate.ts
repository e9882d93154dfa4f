// The broker's own certificate: kept in two files, replaced when it no longer serves. Holds no CA key; asks the authority.

import { createPrivateKey, createPublicKey, X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import { join } from 'node:path';
import type { BrokerAuthority } from './client/faces.ts';
import { createKeyAndCsr } from './keys.ts';
import { SERVER_RENEW_SHARE } from './limits.ts';
import { ensurePrivateDirectory, readPrivateFile, writePrivateFile } from './private-files.ts';
import type { AlternativeName } from './profiles/profile.ts';
import { AuthorityFault } from './protocol/faults.ts';
import { SERVER_COMMON_NAME } from './protocol/names.ts';

export interface ServerCertificateOptions {
  /** Where `server.crt` (leaf and issuing CA) and `server.key` are kept, and `rsa.crt` and `rsa.key`; made with mode 0700. */
  readonly directory: string;
  readonly authority: BrokerAuthority;
  readonly names: readonly AlternativeName[];
  readonly nowMs: number;
  /** Bits of the RSA key of a second certificate; absent = there is none. */
  readonly rsaBits?: number;
}

export interface ServerCertificate {
  /** As TLS listeners take them, PEM: leaf and issuing CA; PKCS #8; root and issuing CA, two of each while they are replaced. */
  readonly cert: string;
  readonly key: string;
  readonly clientCa: string;
  /** The CA's, SHA-256, lower-case hex. */
  readonly fingerprint: string;
  /** Of every root that is trusted. */
  readonly trusted: readonly string[];
  /** The second one, with an RSA key, where it was asked for. */
  readonly rsa: { readonly cert: string; readonly key: string } | undefined;
  /** Why a new one was issued; undefined if what is kept still serves. */
  readonly reissued: string | undefined;
}

/** The kept certificates if they still serve, else new keys and certificates; rejects with an AuthorityFault. */
export async function obtainServerCertificate(options: ServerCertificateOptions): Promise<ServerCertificate> {
  const { directory, authority, rsaBits } = options;
  await ensurePrivateDirectory(directory);
  const { root, issuing, serverIssuing, fingerprint, trusted } = await authority.trust();
  const own = await obtainPair(options, serverIssuing, { file: 'server', rsaBits: undefined });
  const rsa = rsaBits === undefined ? undefined : await obtainPair(options, serverIssuing, { file: 'rsa', rsaBits });
  const { cert, key } = own;
  return {
    cert,
    key,
    clientCa: root + issuing,
    fingerprint,
    trusted,
    rsa: rsa === undefined ? undefined : { cert: rsa.cert, key: rsa.key },
    reissued: own.reissued ?? rsa?.reissued,
  };
}

interface ObtainedPair {
  readonly cert: string;
  readonly key: string;
  readonly reissued: string | undefined;
}

async function obtainPair(
  { directory, authority, names, nowMs }: ServerCertificateOptions,
  issuing: string,
  { file, rsaBits }: { readonly file: string; readonly rsaBits: number | undefined },
): Promise<ObtainedPair> {
  const keptCert = await readPrivateFile(join(directory, `${file}.crt`));
  const keptKey = await readPrivateFile(join(directory, `${file}.key`));
  const reissued = serverCertificateDue({ cert: keptCert, key: keptKey, issuing, names, nowMs, rsaBits });
  if (reissued === undefined && keptCert !== undefined && keptKey !== undefined) {
    return { cert: keptCert, key: keptKey, reissued };
  }
  const kind = rsaBits === undefined ? ({ type: 'ec' } as const) : ({ type: 'rsa', bits: rsaBits } as const);
  const { key, csr } = await createKeyAndCsr(SERVER_COMMON_NAME, { ...kind, alternativeNames: names });
  const issued = await authority.issueServer(csr).catch((fault: unknown) => {
    // A clock that is behind says of any certificate that it is not valid yet. Ours is looked at again once it is set.
    if (isTimeUnknown(fault) && keptCert !== undefined && keptKey !== undefined && isPair(keptCert, keptKey)) return;
    throw fault;
  });
  if (issued === undefined) return { cert: keptCert ?? '', key: keptKey ?? '', reissued: undefined };
  const cert = issued.certificate + issued.issuing;
  // A crash between the two leaves a pair that does not fit, which the next start replaces.
  await writePrivateFile(directory, `${file}.key`, key);
  await writePrivateFile(directory, `${file}.crt`, cert);
  return { cert, key, reissued };
}

function isTimeUnknown(fault: unknown): boolean {
  return fault instanceof AuthorityFault && fault.code === 'MOT-0479';
}

function isPair(cert: string, key: string): boolean {
  try {
    return createPublicKey(createPrivateKey(key)).equals(new X509Certificate(cert).publicKey);
  } catch {
    return false;
  }
}

export interface DueFacts {
  readonly cert: string | undefined;
  readonly key: string | undefined;
  /** The issuing CA that is in use, PEM. */
  readonly issuing: string;
  readonly names: readonly AlternativeName[];
  readonly nowMs: number;
  /** Bits that its RSA key is to have; absent = any kind of key. */
  readonly rsaBits?: number | undefined;
}

/** Why a server certificate must be replaced, in one phrase; undefined if it need not be. */
export function serverCertificateDue(facts: DueFacts): string | undefined {
  if (facts.cert === undefined || facts.key === undefined) return 'there was none';
  let leaf: X509Certificate;
  try {
    leaf = new X509Certificate(facts.cert);
    if (!isPair(facts.cert, facts.key)) return 'the key does not fit it';
    const bits = leaf.publicKey.asymmetricKeyDetails?.modulusLength;
    if (facts.rsaBits !== undefined && bits !== facts.rsaBits) return `it is to have ${facts.rsaBits} bits`;
    const issuing = new X509Certificate(facts.issuing);
    if (!leaf.checkIssued(issuing) || !leaf.verify(issuing.publicKey)) return 'another CA issued it';
  } catch {
    return 'it cannot be read';
  }
  const from = Date.parse(leaf.validFrom);
  const to = Date.parse(leaf.validTo);
  if (facts.nowMs < from) return 'it is not valid yet';
  if (to - facts.nowMs < (to - from) * SERVER_RENEW_SHARE) return `it ends on ${new Date(to).toISOString()}`;
  // A name too many does no harm until the next renewal; a name too few locks somebody out now.
  const missing = facts.names.find(({ value }) => !covers(leaf, value));
  return missing === undefined ? undefined : `it does not name ${missing.value}`;
}

function covers(leaf: X509Certificate, name: string): boolean {
  const found = isIP(name) === 0 ? leaf.checkHost(name, { wildcards: false, subject: 'never' }) : leaf.checkIP(name);
  return found !== undefined;
}
