import { readFileSync } from 'node:fs';
import { describe, expect, test } from '@jest/globals';
import { parse } from 'yaml';
import { isMap } from '../schema/fault.ts';
import { hasWords } from '../schema/phrases.ts';
import type { Schema } from '../schema/structural.ts';
import { crdSchema, miniPlatformSchema } from './schema.ts';

interface Crd {
  readonly spec: { readonly versions: readonly [{ readonly schema: { readonly openAPIV3Schema: Schema } }] };
}

const crd = parse(readFileSync(new URL('../crds/miniplatforms.yaml', import.meta.url), 'utf8')) as Crd;

/** Every schema within a schema, with its path. */
function* within(schema: Schema, path: string): Generator<[string, Schema]> {
  yield [path, schema];
  for (const [name, property] of Object.entries(schema.properties ?? {}))
    yield* within(property, `${path}.${name}`);
  if (schema.items !== undefined) yield* within(schema.items, `${path}[]`);
  if (schema.additionalProperties !== undefined) yield* within(schema.additionalProperties, `${path}[*]`);
}

const all = [...within(crd.spec.versions[0].schema.openAPIV3Schema, '')];

function pathsWhere(fails: (schema: Schema) => boolean): string[] {
  return all.filter(([, schema]) => fails(schema)).map(([path]) => path);
}

describe('the CRD', () => {
  test('is what the generated schema was made of', () => {
    const { $comment, ...generated } = crdSchema() as Schema & { $comment: string };
    expect($comment).toContain('npm run generate');
    expect(generated).toEqual(crd.spec.versions[0].schema.openAPIV3Schema);
  });

  test('describes every field', () => {
    // The API server refuses a description of metadata.
    expect(pathsWhere(({ description = '' }) => !description.endsWith('.'))).toEqual(['.metadata']);
  });

  test('bounds every list, number and text of the spec', () => {
    const spec = all.filter(([path]) => path.startsWith('.spec'));
    const unbounded = spec.filter(([, schema]) => {
      if (schema.type === 'array') return schema.maxItems === undefined;
      if (schema.type === 'integer') return schema.minimum === undefined || schema.maximum === undefined;
      return schema.type === 'string' && schema.maxLength === undefined && schema.enum === undefined;
    });
    expect(unbounded.map(([path]) => path)).toEqual([]);
  });

  test('has a list type for every list', () => {
    expect(pathsWhere((schema) => schema.type === 'array' && !schema['x-kubernetes-list-type'])).toEqual([]);
  });

  test('defaults every map whose fields have defaults, but for what is asked for as a whole', () => {
    const hasDefaults = (schema: Schema): boolean =>
      Object.values(schema.properties ?? {}).some((property) => property.default !== undefined);
    expect(pathsWhere((schema) => hasDefaults(schema) && schema.default === undefined)).toEqual([
      '',
      '.spec.worker.autoscaling',
      '.spec.kafka.caSecret',
      '.spec.mongodb.uriSecret',
      '.spec.mongodb.caSecret',
      '.spec.redis',
      '.spec.redis.caSecret',
      '.spec.s3.caSecret',
    ]);
  });
});

test('every pattern has words for people', () => {
  const patterns = [...within(miniPlatformSchema(), '')].flatMap(([, { pattern }]) => pattern ?? []);
  expect(patterns.filter((pattern) => !hasWords(pattern))).toEqual([]);
});

test('the schema takes the metadata that the API server adds', () => {
  const metadata = miniPlatformSchema().properties?.['metadata']?.properties;
  expect(isMap(metadata) ? Object.keys(metadata) : []).toEqual(
    expect.arrayContaining(['managedFields', 'uid']),
  );
});
