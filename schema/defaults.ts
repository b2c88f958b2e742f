import { isMap } from './fault.ts';
import { propertySchema } from './structural.ts';
import type { Schema } from './structural.ts';

/**
 * A copy of `value` with the schema's defaults, as the API server fills them in before it validates: a field
 * that is null counts as absent (no field of ours is nullable), and defaults of defaults are filled in too.
 * What does not fit the schema is kept as it is, for the check to find.
 */
export function withDefaults(value: unknown, schema: Schema): unknown {
  if (schema.type === 'array' && Array.isArray(value)) {
    const { items = {} } = schema;
    return value.map((item) => withDefaults(item, items));
  }
  return schema.type === 'object' && isMap(value) ? mapWithDefaults(value, schema) : value;
}

function mapWithDefaults(value: Readonly<Record<string, unknown>>, schema: Schema): unknown {
  const known = schema.properties ?? {};
  const absent = Object.entries(known).filter(([name, property]) => {
    const given = Object.hasOwn(value, name) ? value[name] : undefined;
    return property.default !== undefined && (given === null || given === undefined);
  });
  // An unknown field stays even if it is null, so that it is found.
  const given = Object.entries(value).filter(
    ([name, child]) => child !== undefined && (child !== null || propertySchema(schema, name) === undefined),
  );
  const complete = [...given, ...absent.map(([name, property]) => [name, property.default] as const)];
  // Object.fromEntries defines its properties, so that not even a field named __proto__ does harm.
  return Object.fromEntries(
    complete.map(([name, child]) => {
      const childSchema = propertySchema(schema, name);
      return [name, childSchema === undefined ? child : withDefaults(child, childSchema)];
    }),
  );
}
