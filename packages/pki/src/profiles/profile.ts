// What every certificate of ours is: one of four profiles, fixed but for its names and key.
// A plan can only be made by the four profile functions, so a caller has no extension, purpose or life to get wrong.

export type ProfileName = 'root' | 'issuing' | 'server' | 'device';

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

/** The purposes of each profile; RFC 5280, 4.2.1.3, 4.2.1.9 and 4.2.1.12. */
export const PURPOSES = {
  root: { ca: true, pathLength: undefined, usage: 'certificates', extended: undefined },
  issuing: { ca: true, pathLength: 0, usage: 'certificates', extended: undefined },
  // Not critical: small TLS stacks on devices (BearSSL) know no extended key usage and refuse what is critical and unknown.
  server: { ca: false, pathLength: undefined, usage: 'signatures', extended: { use: 'server', critical: false } },
  // Critical: only the broker reads it, and nobody may take it for anything else.
  device: { ca: false, pathLength: undefined, usage: 'signatures', extended: { use: 'client', critical: true } },
} as const satisfies Record<ProfileName, Purpose>;

export interface Purpose {
  readonly ca: boolean;
  readonly pathLength: number | undefined;
  readonly usage: 'certificates' | 'signatures';
  readonly extended: { readonly use: 'server' | 'client'; readonly critical: boolean } | undefined;
}
