import { PATTERNS } from '../../schema/patterns.ts';
import type { Rule, Schema } from '../../schema/structural.ts';

/** `given`: it is always there once compiled, because it has a default or must be set; or it may be absent. */
export type Presence = 'given' | 'optional';

/** One field of a configuration, declared once: its schema, and as a type what it is compiled to. */
export interface Field<T, P extends Presence = Presence> {
  readonly schema: Schema;
  readonly presence: P;
  /** Carries the type; there is no such property. */
  readonly compiled?: T;
}

/** A field that is written as a text such as `30s`, and compiled to ms under its name with `Ms` behind it. */
export interface DurationField<P extends Presence = Presence> extends Field<number, P> {
  readonly unit: 'ms';
}

/** The fields of a map, by name. */
export type Fields = Readonly<Record<string, Field<unknown>>>;

/** What a map of fields is compiled to. */
export type Compiled<F extends Fields> = {
  readonly [K in keyof F as NameOf<K, F[K], 'given'>]: TypeOf<F[K]>;
} & { readonly [K in keyof F as NameOf<K, F[K], 'optional'>]?: TypeOf<F[K]> };

type NameOf<K, F, P extends Presence> =
  F extends Field<unknown, P> ? (F extends DurationField ? `${K & string}Ms` : K) : never;
type TypeOf<F> = F extends Field<infer T> ? T : never;

/** What every field says of itself. */
export interface About {
  readonly description: string;
  /** The field of the MiniPlatform that it is made from; none where the resource does not say. */
  readonly source?: string;
  /** A value for the documentation's example, where there is no default. */
  readonly example?: unknown;
}

/** A whole number within bounds. */
export function integer(
  about: About & { readonly default?: number; readonly minimum: number; readonly maximum: number },
): Field<number, 'given'> {
  return given({ type: 'integer' }, about);
}

/** True or false. */
export function flag(about: About & { readonly default: boolean }): Field<boolean, 'given'> {
  return given({ type: 'boolean' }, about);
}

/** A text, of a form (see PATTERNS) or of a length. */
export function text(
  about: About & {
    readonly default?: string;
    readonly pattern?: string;
    readonly minLength?: number;
    readonly maxLength: number;
  },
): Field<string, 'given'> {
  return given({ type: 'string' }, about);
}

/** One of several words. */
export function choice<const V extends string>(
  values: readonly V[],
  about: About & { readonly default: V },
): Field<V, 'given'> {
  return given({ type: 'string', enum: values }, about);
}

/** The path of a file with a credential in it. Nothing that stands here is ever shown: it may be the secret itself. */
export function secretFile(about: About): Field<string, 'given'> {
  return given({ type: 'string', maxLength: 4096, pattern: PATTERNS.file, 'x-secret': true }, about);
}

/** A duration between two bounds, such as `500ms`, `30s` or `5m`. */
export function duration({
  min,
  max,
  ...about
}: About & {
  readonly default: string;
  readonly min: string;
  readonly max: string;
}): DurationField<'given'> {
  const rule = `duration(self) >= duration('${min}') && duration(self) <= duration('${max}')`;
  const schema: Schema = {
    type: 'string',
    format: 'duration',
    maxLength: 7,
    pattern: PATTERNS.duration,
    'x-kubernetes-validations': [{ rule, message: `must be a duration from ${min} to ${max}` }],
  };
  return { ...given<number>(schema, about), unit: 'ms' };
}

/** A list in which no item occurs twice. */
export function set<T>(
  items: Field<T>,
  about: About & { readonly default?: readonly T[]; readonly minItems: number; readonly maxItems: number },
): Field<readonly T[], 'given'> {
  return given({ type: 'array', 'x-kubernetes-list-type': 'set', items: items.schema }, about);
}

/** A map with fields of its own; it need not be written when none of its fields must be. */
export function section<F extends Fields>(
  about: About & { readonly rules?: readonly Rule[] },
  fields: F,
): Field<Compiled<F>, 'given'> {
  const { rules, ...rest } = about;
  const schema = mapSchema(fields, rules);
  return given(schema.required === undefined ? { ...schema, default: {} } : schema, rest);
}

/** The same field, but it may be absent. */
export function optional<T>(field: Field<T>): Field<T, 'optional'> {
  return { schema: field.schema, presence: 'optional' };
}

/** The schema of a map: what has no default and is not optional must be there. */
export function mapSchema(fields: Fields, rules: readonly Rule[] = []): Schema {
  const entries = Object.entries(fields);
  const required = entries.filter(
    ([, { presence, schema }]) => presence === 'given' && schema.default === undefined,
  );
  return {
    type: 'object',
    ...(required.length === 0 ? {} : { required: required.map(([name]) => name) }),
    properties: Object.fromEntries(entries.map(([name, { schema }]) => [name, schema])),
    ...(rules.length === 0 ? {} : { 'x-kubernetes-validations': rules }),
  };
}

function given<T>(schema: Schema, { source, ...about }: About & Partial<Schema>): Field<T, 'given'> {
  return {
    schema: { ...schema, ...about, ...(source === undefined ? {} : { 'x-source': source }) },
    presence: 'given',
  };
}
