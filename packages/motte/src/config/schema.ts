// The schema of motte.yaml as a whole: every key, also those whose part is not built yet.

import Type, { type Static } from 'typebox';
import type { Schema } from './check.ts';
import { Admission } from './sections/admission.ts';
import { Console } from './sections/console.ts';
import { Defaults } from './sections/defaults.ts';
import { Enrol } from './sections/enrol.ts';
import { IdentitySection } from './sections/identity.ts';
import { LimitsSection } from './sections/limits.ts';
import { Listeners } from './sections/listeners.ts';
import { LogSection } from './sections/log.ts';
import { Pki } from './sections/pki.ts';
import { Revocation } from './sections/revocation.ts';
import { Sparkplug } from './sections/sparkplug.ts';
import { StoreSection } from './sections/store.ts';
import { Tls } from './sections/tls.ts';
import { Waivers } from './sections/waivers.ts';
import { section } from './setting.ts';

export const MotteYaml = section(
  {
    listeners: Type.Optional(Listeners),
    console: Type.Optional(Console),
    enrol: Type.Optional(Enrol),
    defaults: Type.Optional(Defaults),
    tls: Type.Optional(Tls),
    revocation: Type.Optional(Revocation),
    limits: Type.Optional(LimitsSection),
    admission: Type.Optional(Admission),
    identity: Type.Optional(IdentitySection),
    pki: Type.Optional(Pki),
    store: Type.Optional(StoreSection),
    log: Type.Optional(LogSection),
    sparkplug: Type.Optional(Sparkplug),
    waivers: Type.Optional(Waivers),
  },
  'The configuration of Motte.',
);
export type MotteYaml = Static<typeof MotteYaml>;

/** The same schema as the plain JSON that the checker walks. */
export const SCHEMA = MotteYaml as unknown as Schema;

/** The JSON Schema that `motte config schema` prints. */
export function jsonSchema(): Record<string, unknown> {
  return { $schema: 'https://json-schema.org/draft/2020-12/schema', title: 'motte.yaml', ...MotteYaml };
}
