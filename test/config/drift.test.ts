import { describe, expect, test } from '@jest/globals';
import { crdSchema } from '../../resource/schema.ts';
import { ROLE_CONFIGS } from '../../runtime/config/roles.ts';
import type { Rule, Schema } from '../../schema/structural.ts';

/** Every field within a schema, with its path. */
function* within(schema: Schema, path: string): Generator<readonly [string, Schema]> {
  for (const [name, property] of Object.entries(schema.properties ?? {})) {
    const place = path === '' ? name : `${path}.${name}`;
    yield [place, property];
    yield* within(property, place);
  }
}

const fields = Object.entries(ROLE_CONFIGS).flatMap(([role, declared]) =>
  [...within(declared.fields, '')].map(([path, schema]) => ({ path: `${role}: ${path}`, schema })),
);
const spec = new Map(within({ properties: { spec: crdSchema().properties?.['spec'] ?? {} } }, ''));

function sourceOf(schema: Schema): Schema {
  const source = spec.get(schema['x-source'] ?? '');
  if (source === undefined) throw new Error(`the resource has no ${schema['x-source'] ?? ''}`);
  return source;
}

const SAID = new Set(['description', 'format', 'example', 'items', 'x-source']);

/** What a field demands and defaults to, without what is said of it to people and programs. */
function demands(schema: Schema): object {
  const demanded = Object.fromEntries(Object.entries(schema).filter(([keyword]) => !SAID.has(keyword)));
  return schema.items === undefined ? demanded : { ...demanded, items: demands(schema.items) };
}

/** Rules that do not speak of what was there before. */
function rulesOf(schema: Schema): readonly Rule[] {
  return (schema['x-kubernetes-validations'] ?? []).filter(({ rule }) => !rule.includes('oldSelf'));
}

const sourced = fields.filter(({ schema }) => schema['x-source'] !== undefined);
const values = sourced.filter(({ schema }) => sourceOf(schema).type !== 'object');

describe('what comes from the resource has the bounds and defaults that it has there', () => {
  test.each(values)('$path', ({ path, schema }) => {
    const wanted = demands(sourceOf(schema));
    // A Service cannot leave its port to the system; a process can.
    const changed = path === 'dispatcher: http.port' ? { minimum: 0 } : {};
    expect(demands(schema)).toEqual({ ...wanted, ...changed });
  });

  test.each(sourced.filter((field) => !values.includes(field)))('$path, from a map', ({ schema }) => {
    const source = sourceOf(schema);
    // A Secret becomes files; of other maps it is the rules that count.
    if (schema.type === 'string') expect(source.required).toEqual(['name']);
    else expect(rulesOf(schema)).toEqual(rulesOf(source));
  });

  test.each([
    ['spec.kafka', 'eventLog', 'kafka'],
    ['spec.redis', 'cache', 'redis'],
    ['spec.mongodb', 'documentStore', 'mongodb'],
    ['spec.s3', 'objectStore', 's3'],
  ])('the rules of %s', (path, store, service) => {
    const stores = Object.values(ROLE_CONFIGS).map(({ fields }) => fields.properties?.['stores']?.properties);
    const [section] = stores.flatMap((properties) => properties?.[store]?.properties?.[service] ?? []);
    expect(rulesOf(section ?? {})).toEqual(expect.arrayContaining([...rulesOf(spec.get(path) ?? {})]));
  });
});

test('every field of the resource reaches a role, or is known to be for something else', () => {
  const taken = new Set(sourced.map(({ schema }) => schema['x-source']));
  const isTaken = (path: string): boolean =>
    taken.has(path) || [...taken].some((source) => source !== undefined && path.startsWith(`${source}.`));
  const leaves = [...spec].filter(([, { properties }]) => properties === undefined).map(([path]) => path);
  expect(leaves.filter((path) => !isTaken(path))).toEqual([
    'spec.image',
    'spec.imagePullSecrets',
    'spec.dispatcher.replicas',
    'spec.dispatcher.resources.requests',
    'spec.dispatcher.resources.limits',
    'spec.dispatcher.service.type',
    'spec.worker.replicas',
    'spec.worker.resources.requests',
    'spec.worker.resources.limits',
    'spec.worker.autoscaling.min',
    'spec.worker.autoscaling.max',
    'spec.worker.autoscaling.targetInFlight',
    'spec.archiver.replicas',
    'spec.monitoring.podMonitor',
    'spec.paused',
  ]);
});
