// Clients that are vulnerable although they proved who they are: an old TLS, a short key, an old MQTT. Whether they are refused
// or only flagged is the policy's word; the first thing that falls short is named.

import { X509Certificate } from 'node:crypto';
import type { ProtocolVersion } from '@motte/wire';
import type { ConnectionFacts, TlsFacts } from '../ports/connection-facts.ts';
import type { Assess, PosturePolicy, Weakness } from '../ports/posture.ts';

/** Makes the function. A certificate is read once for all its connections, in bounded memory. */
export function createAssess(policy: PosturePolicy): Assess {
  const { minTls, minMqtt, minKeyBits, action } = policy;
  const bitsOf = rememberedBits();
  return (facts, version) => {
    const found =
      (minTls === undefined ? undefined : weakTls(facts, minTls)) ??
      (minKeyBits === undefined ? undefined : weakKey(facts.tls, minKeyBits, bitsOf)) ??
      (minMqtt === undefined ? undefined : weakMqtt(version, minMqtt));
    return found === undefined ? undefined : { action, ...found };
  };
}

type Found = Omit<Weakness, 'action'> | undefined;

function weakTls({ tls, listener }: ConnectionFacts, least: '1.2' | '1.3'): Found {
  // What comes over a Unix socket leaves no machine.
  if (listener.scheme === 'mqtt+unix') return undefined;
  const has = tls === undefined ? 'no TLS' : tls.protocol.replace('TLSv', 'TLS ');
  if (tls !== undefined && (least === '1.2' || tls.protocol === 'TLSv1.3')) return undefined;
  return { because: `it came with ${has}; TLS ${least} is the least`, rule: 'identity.posture.minTls' };
}

function weakKey(tls: TlsFacts | undefined, least: number, bitsOf: (tls: TlsFacts) => number): Found {
  if (tls?.certificate === undefined) return undefined;
  const bits = bitsOf(tls);
  if (bits >= least) return undefined;
  const because = `its key is as strong as RSA of ${bits} bits; ${least} is the least`;
  return { because, rule: 'identity.posture.minKeyBits' };
}

function weakMqtt(version: ProtocolVersion, least: '3.1' | '3.1.1' | '5.0'): Found {
  if (version >= LEVELS[least]) return undefined;
  const has = version === 3 ? '3.1' : '3.1.1';
  return { because: `it speaks MQTT ${has}; ${least} is the least`, rule: 'identity.posture.minMqtt' };
}

function rememberedBits(): (tls: TlsFacts) => number {
  const known = new Map<string, number>();
  return ({ certificate, fingerprint = '' }) => {
    const before = known.get(fingerprint);
    if (before !== undefined) return before;
    const bits = keyBits(certificate as Uint8Array);
    if (known.size >= KNOWN_MAX) known.clear();
    known.set(fingerprint, bits);
    return bits;
  };
}

/** Bits of an RSA key of the same strength; 0 for a key that is of no kind we know. */
export function keyBits(certificate: Uint8Array): number {
  const { asymmetricKeyType = '', asymmetricKeyDetails } = new X509Certificate(certificate).publicKey;
  return (
    asymmetricKeyDetails?.modulusLength ?? STRENGTHS.get(asymmetricKeyDetails?.namedCurve ?? asymmetricKeyType) ?? 0
  );
}

/** NIST SP 800-57 part 1, table 2. */
const STRENGTHS: ReadonlyMap<string, number> = new Map([
  ['prime256v1', 3072],
  ['brainpoolP256r1', 3072],
  ['ed25519', 3072],
  ['secp384r1', 7680],
  ['brainpoolP384r1', 7680],
  ['ed448', 7680],
  ['secp521r1', 15_360],
  ['brainpoolP512r1', 15_360],
]);
const LEVELS = { '3.1': 3, '3.1.1': 4, '5.0': 5 } as const;
const KNOWN_MAX = 10_000;
