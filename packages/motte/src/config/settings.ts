// The file's values with every default filled in: the form that `motte config show` prints and that start-up reads.

import type { CertificateName } from '@motte/broker/ports/connection-facts';
import { DEFAULT_LIMITS, type Limits } from '@motte/broker/ports/limits';
import type { PosturePolicy } from '@motte/broker/ports/posture';
import type { TokenAlgorithm } from '@motte/broker/tokens';
import { isOpen, type Schema } from './check.ts';
import { type MotteYaml, SCHEMA } from './schema.ts';
import type { Waiver, WaiverKey } from './sections/waivers.ts';

export interface ListenerSettings {
  readonly name: string;
  readonly url: string;
  readonly authentication: 'certificate' | 'password' | 'token' | 'scram' | 'psk' | 'any' | 'none';
  readonly role?: string;
  readonly clientIds: 'own' | 'any';
  readonly versions: readonly ('3.1' | '3.1.1' | '5.0')[];
  readonly maxConnections: number;
  readonly origins: readonly string[];
  readonly alpn?: string;
  readonly onExpiry: 'end' | 'warn';
  readonly clientCa: readonly string[];
  readonly identity: CertificateName;
  readonly waiver?: Waiver;
}

/** Paths of a server certificate and its key, and the host names that it is shown for. */
export interface CertificateFiles {
  readonly cert: string;
  readonly key: string;
  readonly names?: readonly string[];
}

export interface ClientCaSettings {
  readonly id: string;
  readonly file: string;
  readonly names?: readonly string[];
  readonly roles?: readonly string[];
}

export interface RevocationListSettings {
  readonly ca: string;
  readonly file?: string;
  readonly url?: string;
  readonly serverCa?: string;
  readonly refreshMinutes: number;
}

export interface OcspSettings {
  readonly ca: string;
  readonly url?: string;
  readonly hosts?: readonly string[];
  readonly serverCa?: string;
  readonly refreshMinutes: number;
}

export interface TokenSettings {
  readonly issuer: string;
  readonly audience: string;
  readonly jwks: string;
  readonly jwksCa?: string;
  readonly algorithms: readonly TokenAlgorithm[];
  readonly nameClaim: string;
  readonly rolesClaim?: string;
  readonly roles: Readonly<Record<string, string>>;
  readonly names?: readonly string[];
  readonly kind: 'device' | 'user';
  readonly clockSkewSeconds: number;
}

export interface Settings {
  readonly listeners: readonly ListenerSettings[];
  readonly console: 'off' | { readonly url: string };
  readonly enrol: 'off' | { readonly url: string; readonly est?: 'off' | 'on' };
  readonly defaults: '1';
  readonly tls: {
    readonly minVersion: '1.2' | '1.3';
    readonly certificate?: { readonly cert: string; readonly key: string };
    readonly certificates: readonly CertificateFiles[];
    readonly rsa: 'off' | '2048' | '3072';
    readonly staple: 'off' | 'on';
    readonly ticketSeconds: number;
    readonly clientCa: readonly ClientCaSettings[];
    readonly crl: readonly RevocationListSettings[];
    readonly ocsp: readonly OcspSettings[];
  };
  readonly revocation: {
    readonly stale: 'refuse-new' | 'accept';
    readonly unanswered: 'refuse' | 'accept';
  };
  readonly identity: {
    readonly tokens: readonly TokenSettings[];
    readonly posture: PosturePolicy;
    readonly onRevoke?: string;
  };
  readonly limits: Limits;
  readonly admission: {
    readonly handshakesAtOnceMax: number;
    readonly connectionsPerSourceMax: number;
    readonly waitingMax: number;
    readonly lagMsMax: number;
    readonly exempt: readonly string[];
  };
  readonly pki: { readonly socket?: string };
  readonly store: {
    readonly kind: 'level' | 'memory';
    readonly lingerMs: number;
    readonly freeBytesMin: number;
    readonly writeBufferBytes: number;
  };
  readonly log: {
    readonly level: 'debug' | 'info' | 'warn' | 'error' | 'off';
    readonly shape: 'auto' | 'json' | 'text';
  };
  readonly waivers: Readonly<Partial<Record<WaiverKey, Waiver>>>;
}

/** Fills in the defaults that the schema states; a list or section of the file replaces the default one whole. */
export function withDefaults(yaml: MotteYaml): Settings {
  const filled = fill(SCHEMA, yaml) as Settings;
  return { ...filled, limits: { ...DEFAULT_LIMITS, ...filled.limits }, waivers: filled.waivers ?? {} };
}

function fill(schema: Schema, value: unknown): unknown {
  if (isOpen(schema)) return value;
  if (schema.type === 'object' && isRecord(value)) return fillSection(schema, value);
  if (schema.type === 'array' && Array.isArray(value)) return value.map((item) => fill(schema.items ?? {}, item));
  return value;
}

function fillSection(schema: Schema, value: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const filled: Record<string, unknown> = {};
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    if (property['x-later'] === true) continue;
    const given = Object.hasOwn(value, name) ? value[name] : undefined;
    // A section that is absent is filled like an empty one, unless nothing in it has a default of its own.
    const start = given ?? property.default ?? (isAllDefaults(property) ? {} : undefined);
    if (start !== undefined) filled[name] = fill(property, start);
  }
  return filled;
}

function isAllDefaults(schema: Schema): boolean {
  return schema.type === 'object' && (schema.required ?? []).length === 0;
}

function isRecord(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
