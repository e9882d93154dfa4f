// What TLS listeners present and trust: the authority's certificate for this host, renewed by itself, or the operator's
// own from tls.certificate; and the further ones, of the operator or for clients that need RSA.

import { join } from 'node:path';
import type { TlsMaterial } from '@motte/broker/ports/config';
import { obtainServerCertificate, openBrokerAuthority, serverNames } from '@motte/pki';
import type { MotteConfig } from '../config/config.ts';
import { type CertificatePair, readCertificatePair } from './certificate-pair.ts';
import { type ClientAuthority, readClientAuthorities } from './client-authorities.ts';

export interface Material {
  readonly tls: TlsMaterial;
  /** Certificates of the operator's own, as they were read. */
  readonly brought: Brought;
  /** For the console: always the authority's. */
  readonly own: { readonly cert: string; readonly key: string };
  /** Those of tls.clientCa. */
  readonly authorities: readonly ClientAuthority[];
  /** SHA-256 of the root, lower-case hex. */
  readonly fingerprint: string;
  /** Of every root that devices may come from. */
  readonly trusted: readonly string[];
  /** Why a new certificate was issued; undefined if the kept one still serves. */
  readonly reissued: string | undefined;
  /** What is wrong with a file of the operator's, whose part is as before; undefined = all is as it was configured. */
  readonly unusable: unknown;
}

interface Brought {
  readonly given: CertificatePair | undefined;
  readonly further: readonly (CertificatePair & { readonly names?: readonly string[] })[];
}

/**
 * Asks the authority, which issues anew when names changed or the end is near. Throws AuthorityFault, MOT-0403, MOT-0404, MOT-0412.
 * With what is in force `before`, a file of the operator's that cannot be used leaves its part as it is and holds up nothing else:
 * whom the authority trusts now must not wait for it.
 */
export async function obtainMaterial(
  data: string,
  brokerSocket: string,
  config: MotteConfig,
  before?: Material,
): Promise<Material> {
  const { rsa: bits } = config.settings.tls;
  let unusable: unknown;
  const orBefore = <T>(read: () => T, kept: T | undefined): T => {
    try {
      return read();
    } catch (fault) {
      if (kept === undefined) throw fault;
      unusable ??= fault;
      return kept;
    }
  };
  // The operator's own files first: nothing is issued for a configuration that cannot be used.
  const brought = orBefore(() => readBrought(config), before?.brought);
  const { cert, key, clientCa, fingerprint, trusted, rsa, reissued } = await obtainServerCertificate({
    directory: join(data, 'run', 'server'),
    authority: openBrokerAuthority(brokerSocket),
    names: serverNames(),
    nowMs: Date.now(),
    ...(bits === 'off' ? {} : { rsaBits: Number(bits) }),
  });
  const own = { cert, key };
  // By no name: it stands in for a certificate that a client cannot use.
  const all = rsa === undefined ? brought.further : [...brought.further, { ...rsa, names: [] }];
  const authorities = orBefore(() => readClientAuthorities(config.clientAuthorities, clientCa), before?.authorities);
  const foreignCa = authorities.map(({ realm, certificates: pems }) => ({ realm, pem: pems.join('') }));
  const tls = { ...(brought.given ?? own), clientCa, foreignCa, further: all };
  return { tls, brought, authorities, own, fingerprint, trusted, reissued, unusable };
}

function readBrought({ certificate, certificates }: MotteConfig): Brought {
  return {
    given: certificate === undefined ? undefined : readCertificatePair(certificate),
    further: certificates.map((files) => ({
      ...readCertificatePair(files),
      ...(files.names === undefined ? {} : { names: files.names }),
    })),
  };
}

/** What is different about the second, in one phrase. */
export function replacedWhy(before: Material, after: Material): string {
  if (before.tls.clientCa !== after.tls.clientCa) {
    return `the CA is being replaced; trusted now: ${after.trusted.join(', ')}`;
  }
  return after.reissued ?? 'tls.certificate changed';
}
