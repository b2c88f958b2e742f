import fc from 'fast-check';
import type { Schema } from '../../schema/structural.ts';

/**
 * Values near a schema: mostly what it describes, now and then something else, a field too many, or one short.
 */
export function valuesNear(schema: Schema): fc.Arbitrary<unknown> {
  return fc.oneof(
    { weight: 12, arbitrary: fitting(schema) },
    { weight: 1, arbitrary: fc.jsonValue({ maxDepth: 2 }) },
  );
}

function fitting(schema: Schema): fc.Arbitrary<unknown> {
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  switch (schema.type) {
    case 'object':
      return maps(schema);
    case 'array':
      return fc.array(valuesNear(schema.items ?? {}), { maxLength: 3 });
    case 'integer':
      return fc.integer({ min: (schema.minimum ?? 0) - 1, max: (schema.maximum ?? 100) + 1 });
    case 'boolean':
      return fc.boolean();
    default:
      return texts(schema);
  }
}

function maps({ properties = {}, additionalProperties, required = [] }: Schema): fc.Arbitrary<unknown> {
  if (additionalProperties !== undefined) {
    return fc.dictionary(fc.string({ maxLength: 5 }), valuesNear(additionalProperties), { maxKeys: 9 });
  }
  const fields = Object.entries(properties).map(([name, property]) => [name, valuesNear(property)] as const);
  const known = fc.record(Object.fromEntries(fields), { requiredKeys: required.map(String) });
  const extra = fc.dictionary(fc.string({ maxLength: 5 }), fc.jsonValue({ maxDepth: 1 }), {
    minKeys: 1,
    maxKeys: 1,
  });
  return fc.oneof(
    { weight: 20, arbitrary: known },
    { weight: 1, arbitrary: fc.tuple(known, extra).map(([some, more]) => ({ ...more, ...some })) },
    { weight: 1, arbitrary: fc.record(Object.fromEntries(fields), { requiredKeys: [] }) },
  );
}

function texts({ pattern }: Schema): fc.Arbitrary<string> {
  if (pattern === undefined) return fc.string();
  return fc.oneof(
    { weight: 12, arbitrary: fc.stringMatching(new RegExp(pattern)) },
    { weight: 1, arbitrary: fc.string() },
  );
}
