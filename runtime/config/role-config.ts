import { API_VERSION } from '../../schema/api-version.ts';
import { readOneDocument } from '../../schema/documents.ts';
import type { LocatedFault } from '../../schema/documents.ts';
import { parseDuration } from '../../schema/duration.ts';
import { examine } from '../../schema/examine.ts';
import { isMap } from '../../schema/fault.ts';
import type { Fault } from '../../schema/fault.ts';
import { deepFreeze } from '../../schema/freeze.ts';
import { propertySchema } from '../../schema/structural.ts';
import type { Rule, Schema } from '../../schema/structural.ts';
import { mapSchema } from './fields.ts';
import type { Compiled, Fields } from './fields.ts';

/** The configuration of a role as it is declared; `T` is what a file of it is compiled to. */
export interface RoleConfig<T> {
  readonly kind: string;
  /** The map of its fields, without apiVersion and kind. */
  readonly fields: Schema;
  /** Carries the type; there is no such property. */
  readonly compiled?: T;
}

/** What a role's configuration is compiled to. */
export type ConfigOf<D> = D extends RoleConfig<infer T> ? T : never;

/** A configuration with defaults, durations in ms, deeply frozen; or everything that is wrong with it. */
export type CompiledConfig<T, F extends Fault = Fault> =
  { readonly ok: true; readonly config: T } | { readonly ok: false; readonly faults: readonly F[] };

/** Declares a role's configuration. */
export function roleConfig<F extends Fields>(
  about: { readonly kind: string; readonly description: string; readonly rules?: readonly Rule[] },
  fields: F,
): RoleConfig<Compiled<F>> {
  const { kind, description, rules } = about;
  return { kind, fields: { ...mapSchema(fields, rules), description } };
}

/** The schema of a whole document: the fields, with apiVersion and kind before them. */
export function documentSchema({ kind, fields }: RoleConfig<unknown>): Schema {
  return {
    ...fields,
    required: ['apiVersion', 'kind', ...(fields.required ?? [])],
    properties: {
      apiVersion: { description: 'Version of this format.', type: 'string', enum: [API_VERSION] },
      kind: { description: 'Which configuration this is.', type: 'string', enum: [kind] },
      ...fields.properties,
    },
  };
}

/**
 * Compiles a configuration from any JSON value. A value of another kind has no other faults than that. Never
 * throws.
 */
export function compileConfig<T>(declared: RoleConfig<T>, value: unknown): CompiledConfig<T> {
  const { complete, faults } = examine(value, documentSchema(declared));
  if (faults.length > 0) {
    const isOfAnotherKind = faults.some(({ kind, path }) => path === 'kind' && kind === 'invalid');
    const ofHead = faults.filter(({ path }) => path === 'apiVersion' || path === 'kind');
    return { ok: false, faults: isOfAnotherKind ? ofHead : faults };
  }
  // What passed the schema has the shape of the type that was declared with it.
  return { ok: true, config: deepFreeze(compiled(complete, declared.fields)) as T };
}

/**
 * Reads and compiles a configuration file: one YAML 1.2 document. Never throws: whatever is wrong comes back as
 * faults with line and column.
 */
export function loadConfig<T>(
  declared: RoleConfig<T>,
  text: string,
  file: string,
): CompiledConfig<T, LocatedFault> {
  const document = readOneDocument(text, file, declared.kind);
  if (!('value' in document)) return { ok: false, faults: document };
  const result = compileConfig(declared, document.value);
  return result.ok ? result : { ok: false, faults: document.locate(result.faults) };
}

/** A checked value as it is used: only declared fields, and durations as ms, under names that say so. */
function compiled(value: unknown, schema: Schema): unknown {
  if (Array.isArray(value)) return value.map((item: unknown) => compiled(item, schema.items ?? {}));
  if (!isMap(value)) return value;
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, child]) => {
      const property = propertySchema(schema, name);
      if (property === undefined) return [];
      return property.format === 'duration'
        ? [[`${name}Ms`, parseDuration(String(child))]]
        : [[name, compiled(child, property)]];
    }),
  );
}
