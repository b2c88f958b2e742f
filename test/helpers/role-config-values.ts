import fc from 'fast-check';
import { parseDuration } from '../../schema/duration.ts';
import { examine } from '../../schema/examine.ts';
import type { Schema } from '../../schema/structural.ts';

/** Valid values of a schema of a role's configuration: they keep its rules too. */
export function validValues(schema: Schema): fc.Arbitrary<unknown> {
  if (schema.enum !== undefined) return fc.constantFrom(...schema.enum);
  switch (schema.type) {
    case 'object':
      return maps(schema);
    case 'array':
      return fc.uniqueArray(validValues(schema.items ?? {}), { minLength: 1, maxLength: 3 });
    case 'integer':
      return integers(schema);
    case 'boolean':
      return fc.boolean();
    default:
      return schema.format === 'duration' ? durations(schema) : texts(schema);
  }
}

function maps(schema: Schema): fc.Arbitrary<unknown> {
  const { properties = {}, required = [] } = schema;
  const fields = Object.entries(properties).map(([name, property]) => [name, validValues(property)] as const);
  const values = fc.record(Object.fromEntries(fields), { requiredKeys: required.map(String) });
  // Rules about several fields are asked map by map, so that few values are generated in vain.
  return values.filter((value) => examine(value, schema).faults.length === 0);
}

function integers({ minimum = 0, maximum = 0 }: Schema): fc.Arbitrary<number> {
  return fc.integer({ min: minimum, max: maximum });
}

function durations({ 'x-kubernetes-validations': rules = [] }: Schema): fc.Arbitrary<string> {
  const [min = 0, max = 0] = [...(rules[0]?.rule ?? '').matchAll(/duration\('(\w+)'\)/g)].map(([, text]) =>
    parseDuration(text ?? ''),
  );
  const unit = fc.constantFrom(['ms', 1] as const, ['s', 1_000] as const, ['m', 60_000] as const);
  return fc
    .tuple(fc.integer({ min, max }), unit)
    .map(([ms, [name, size]]) => `${Math.max(Math.floor(ms / size), Math.ceil(min / size))}${name}`)
    .filter((text) => text.length <= 7 && parseDuration(text) <= max);
}

function texts({ pattern, minLength = 0, maxLength = 20 }: Schema): fc.Arbitrary<string> {
  if (pattern === undefined)
    return fc.string({ minLength, maxLength: Math.min(maxLength, 20), unit: 'grapheme' });
  return fc
    .stringMatching(new RegExp(pattern), { size: '-1' })
    .filter((text) => text.length >= minLength && text.length <= maxLength);
}
