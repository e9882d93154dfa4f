// What every key of motte.yaml states about itself, carried in its JSON Schema: the sentence, the unit, what breaks if
// it is loosened, when a change applies, and which way is weaker. Sections are built from these alone.

import Type, { type TSchema } from 'typebox';

/** When a changed value takes effect: by SIGHUP at once, for connections made after it, or only at a restart. */
export type Applies = 'now' | 'new connections' | 'restart';

export interface Notes {
  /** One sentence. */
  readonly says: string;
  readonly breaks: string;
  readonly applies: Applies;
  readonly unit?: string;
}

export interface IntegerNotes extends Notes {
  readonly default: number;
  readonly minimum: number;
  readonly maximum: number;
  /** Which side of the default is weaker; neither if absent. */
  readonly weaker?: 'above' | 'below';
}

export interface ChoiceNotes<V extends string, L extends string> extends Notes {
  readonly values: readonly V[];
  /** Promised, refused with "not in this version". */
  readonly later?: readonly L[];
  readonly default: V;
  readonly weakerValues?: readonly V[];
}

/** A whole number. */
export function integer({ weaker, minimum, maximum, default: value, ...notes }: IntegerNotes) {
  return Type.Integer({
    default: value,
    minimum,
    maximum,
    ...annotate(notes),
    ...(weaker ? { 'x-weaker': weaker } : {}),
  });
}

/** One of a few words. */
export function choice<const V extends string, const L extends string = never>(notes: ChoiceNotes<V, L>) {
  const { values, later = [], default: value, weakerValues, ...rest } = notes;
  return Type.Unsafe<V>(
    Type.String({
      enum: [...values, ...later],
      default: value,
      ...annotate(rest),
      ...(later.length === 0 ? {} : { 'x-later-values': later }),
      ...(weakerValues === undefined ? {} : { 'x-weaker-values': weakerValues }),
    }),
  );
}

/** Text of a form that `allowed` describes to people. */
export function text(pattern: string, allowed: string, notes: Notes & { readonly default?: string }) {
  const { default: value, ...rest } = notes;
  const standard = value === undefined ? {} : { default: value };
  return Type.String({ pattern, ...standard, 'x-allowed': allowed, ...annotate(rest) });
}

/** Text by text, under keys that the operator chooses. */
export function map(keys: { readonly pattern: string; readonly allowed: string }, values: TSchema, notes: Notes) {
  return Type.Unsafe<Readonly<Record<string, string>>>({
    type: 'object',
    propertyNames: { type: 'string', pattern: keys.pattern, 'x-allowed': keys.allowed },
    additionalProperties: values,
    maxProperties: LIST_ITEMS_MAX,
    'x-allowed': `a section: ${keys.allowed}, each with ${String((values as { 'x-allowed'?: unknown })['x-allowed'])}`,
    ...annotate(notes),
  });
}

/** A list, without default where its absence says something; what it holds beyond the default is weaker if `widens`. */
export function list<T extends TSchema>(
  items: T,
  value: readonly unknown[] | undefined,
  notes: Notes & { widens?: boolean },
) {
  const { widens = false, ...rest } = notes;
  return Type.Array(items, {
    ...(value === undefined ? {} : { default: value }),
    maxItems: LIST_ITEMS_MAX,
    ...annotate(rest),
    ...(widens ? { 'x-widens': true } : {}),
  });
}

/** A key that the documentation promises and this version refuses with "not in this version". */
export function later(says: string) {
  return Type.Optional(Type.Unknown({ description: says, 'x-later': true }));
}

/** A section or an entry: no other keys than these. */
export function section<P extends Record<string, TSchema>>(properties: P, says: string) {
  return Type.Object(properties, { additionalProperties: false, description: says });
}

function annotate({ says, breaks, applies, unit }: Notes): Record<string, string> {
  return {
    description: says,
    'x-breaks': breaks,
    'x-applies': applies,
    ...(unit === undefined ? {} : { 'x-unit': unit }),
  };
}

const LIST_ITEMS_MAX = 256;
