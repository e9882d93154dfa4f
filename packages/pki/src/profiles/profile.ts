// What every certificate of ours is: one of a few profiles, fixed but for its names and key.
// A plan can only be made by the profile functions, so a caller has no extension, purpose or life to get wrong.

import type { NamedProfile } from '../protocol/names.ts';

export type ProfileName = 'root' | 'issuing' | 'server' | NamedProfile;

export interface AlternativeName {
  readonly type: 'dns' | 'ip' | 'url';
  readonly value: string;
}

declare const planned: unique symbol;

export interface Plan {
  readonly [planned]: true;
  readonly profile: ProfileName;
  readonly commonName: string;
  readonly alternativeNames: readonly AlternativeName[];
}

/** For the profile functions beside this file only. */
export function plan(profile: ProfileName, commonName: string, alternativeNames: readonly AlternativeName[]): Plan {
  return Object.freeze({ profile, commonName, alternativeNames }) as Plan;
}

/** How keys are called in these tables; RSA from 2048 bits on. */
export type KeyKind = 'P-256' | 'P-384' | 'RSA';

export interface Purpose {
  readonly ca: boolean;
  readonly pathLength: number | undefined;
  readonly usage: 'certificates' | 'signatures';
  readonly extended: { readonly use: 'server' | 'client'; readonly critical: boolean } | undefined;
  readonly keys: readonly KeyKind[];
}

const AUTHORITY = { ca: true, usage: 'certificates', extended: undefined, keys: ['P-256'] } as const;
// Critical: only the broker reads it, and nobody may take it for anything else.
const CLIENT = {
  ca: false,
  pathLength: undefined,
  usage: 'signatures',
  extended: { use: 'client', critical: true },
} as const;
/** What stands in the field may know no curves. */
const FIELD_KEYS = ['P-256', 'P-384', 'RSA'] as const;
/** What people and their computers hold. */
const OFFICE_KEYS = ['P-256', 'P-384'] as const;

/** The purposes and keys of each profile; RFC 5280, 4.2.1.3, 4.2.1.9 and 4.2.1.12. Its life stands in LIFE_MS. */
export const PURPOSES = {
  root: { ...AUTHORITY, pathLength: undefined },
  issuing: { ...AUTHORITY, pathLength: 0 },
  // Not critical: small TLS stacks on devices (BearSSL) know no extended key usage and refuse what is critical and unknown.
  server: { ...CLIENT, extended: { use: 'server', critical: false }, keys: FIELD_KEYS },
  device: { ...CLIENT, keys: FIELD_KEYS },
  gateway: { ...CLIENT, keys: FIELD_KEYS },
  steward: { ...CLIENT, keys: OFFICE_KEYS },
  administrator: { ...CLIENT, keys: OFFICE_KEYS },
} as const satisfies Record<ProfileName, Purpose>;
