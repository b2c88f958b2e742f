import { expect, test } from '@jest/globals';
import { Ajv } from 'ajv';
import type { ErrorObject } from 'ajv';
import fc from 'fast-check';
import { valuesNear } from '../test/helpers/schema-values.ts';
import { check } from './check.ts';
import { miniPlatformSchema } from './schema.ts';
import type { Schema } from './schema.ts';

/** The same demands as strict JSON schema, but for items that occur twice: JSON schema blames the list for those. */
function jsonSchema(schema: Schema): Record<string, unknown> {
  if (schema['x-kubernetes-preserve-unknown-fields'] === true) return {};
  const { type, properties, additionalProperties, items, ...rest } = schema;
  const plain = Object.entries(rest).filter(([keyword]) => !/^(x-|default|description|format)/.test(keyword));
  return {
    ...Object.fromEntries(plain),
    ...(type === undefined ? {} : { type }),
    ...(properties === undefined
      ? {}
      : {
          properties: Object.fromEntries(
            Object.entries(properties).map(([name, property]) => [name, jsonSchema(property)]),
          ),
          additionalProperties: false,
        }),
    ...(additionalProperties === undefined ? {} : { additionalProperties: jsonSchema(additionalProperties) }),
    ...(items === undefined ? {} : { items: jsonSchema(items) }),
  };
}

function placeOf({ instancePath, params }: ErrorObject): string {
  const segments = instancePath.split('/').slice(1);
  const { missingProperty, additionalProperty } = params as Record<string, string | undefined>;
  const last = missingProperty ?? additionalProperty;
  return JSON.stringify(
    last === undefined ? segments : [...segments, last.replaceAll('~', '~0').replaceAll('/', '~1')],
  );
}

function places(value: unknown): string[] {
  const escaped = (segment: string | number): string =>
    String(segment).replaceAll('~', '~0').replaceAll('/', '~1');
  const faults = check(value, miniPlatformSchema());
  const twice = /^must (differ from|have another)/;
  return faults
    .filter(({ message }) => !twice.test(message))
    .map(({ segments }) => JSON.stringify(segments.map(escaped)));
}

test('it finds fault where ajv does', () => {
  const ajv = new Ajv({ allErrors: true, allowUnionTypes: true, strict: false });
  const validate = ajv.compile(jsonSchema(miniPlatformSchema()));
  let valid = 0;
  fc.assert(
    fc.property(valuesNear(miniPlatformSchema()), (value) => {
      validate(value);
      const errors = validate.errors ?? [];
      if (errors.length === 0) valid += 1;
      expect(new Set(places(value))).toEqual(new Set(errors.map(placeOf)));
    }),
    { numRuns: 1000 },
  );
  expect(valid).toBeGreaterThan(0);
});
