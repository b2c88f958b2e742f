import { expect, test } from '@jest/globals';
import { Ajv } from 'ajv';
import type { ErrorObject } from 'ajv';
import fc from 'fast-check';
import { miniPlatformSchema } from '../../resource/schema.ts';
import { documentSchema } from '../../runtime/config/role-config.ts';
import { ROLE_CONFIGS } from '../../runtime/config/roles.ts';
import { check } from '../../schema/check.ts';
import type { Schema } from '../../schema/structural.ts';
import { validValues } from '../helpers/role-config-values.ts';
import { valuesNear } from '../helpers/schema-values.ts';

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

function places(value: unknown, schema: Schema): string[] {
  const escaped = (segment: string | number): string =>
    String(segment).replaceAll('~', '~0').replaceAll('/', '~1');
  const twice = /^must (differ from|have another)/;
  return check(value, schema)
    .filter(({ message }) => !twice.test(message))
    .map(({ segments }) => JSON.stringify(segments.map(escaped)));
}

const schemas = [
  {
    kind: 'MiniPlatform',
    schema: miniPlatformSchema(),
    values: valuesNear(miniPlatformSchema()),
    numRuns: 1_000,
  },
  ...Object.values(ROLE_CONFIGS).map((declared) => ({
    kind: declared.kind,
    schema: documentSchema(declared),
    values: fc.oneof(valuesNear(documentSchema(declared)), validValues(documentSchema(declared))),
    numRuns: 200,
  })),
];

test.each(schemas)('it finds fault with a $kind where ajv does', ({ schema, values, numRuns }) => {
  const ajv = new Ajv({ allErrors: true, allowUnionTypes: true, strict: false });
  const validate = ajv.compile(jsonSchema(schema));
  let valid = 0;
  fc.assert(
    fc.property(values, (value) => {
      validate(value);
      const errors = validate.errors ?? [];
      if (errors.length === 0) valid += 1;
      expect(new Set(places(value, schema))).toEqual(new Set(errors.map(placeOf)));
    }),
    { numRuns },
  );
  expect(valid).toBeGreaterThan(0);
});
