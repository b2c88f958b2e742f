import { faultAt, foreignFault, hiddenFault, invalidFault, isMap, pathOf } from './fault.ts';
import type { Fault, Segments } from './fault.ts';
import { demand } from './phrases.ts';
import { propertySchema } from './structural.ts';
import type { Schema } from './structural.ts';
import { unknownField } from './unknown-field.ts';

/**
 * Checks a value, with defaults applied, against a structural schema, strictly: fields that the schema does not
 * name are faults. Rules are not looked at (see rules.ts). At most one fault is reported for one place.
 *
 * It walks the schema instead of compiling it, as ajv would: a start checks one resource once, and compiling
 * takes 50 ms of it. The tests hold it against ajv.
 */
export function check(value: unknown, schema: Schema, at: Segments = []): Fault[] {
  if (schema['x-kubernetes-preserve-unknown-fields'] === true) return [];
  if (schema.type === 'object') {
    return isMap(value) ? checkMap(value, schema, at) : [misfit(at, value, schema)];
  }
  if (schema.type === 'array') {
    return Array.isArray(value) ? checkList(value, schema, at) : [misfit(at, value, schema)];
  }
  return isAllowedScalar(value, schema) ? [] : [misfit(at, value, schema)];
}

function misfit(at: Segments, value: unknown, schema: Schema): Fault {
  const expected = demand(schema);
  if (schema['x-secret'] === true) return hiddenFault(at, expected);
  if (at.length === 0 && typeof value === 'string') return foreignFault(expected);
  return invalidFault(at, value, expected);
}

function checkMap(value: Readonly<Record<string, unknown>>, schema: Schema, at: Segments): Fault[] {
  const { required = [], maxProperties = Infinity } = schema;
  const names = Object.keys(value);
  const faults = required
    .filter((name) => !Object.hasOwn(value, name))
    .map((name) => faultAt('missing', [...at, name], undefined, `is missing; ${demandOf(name, schema)}`));
  if (names.length > maxProperties) faults.push(misfit(at, value, schema));
  for (const name of names) {
    const property = propertySchema(schema, name);
    const place = [...at, name];
    if (property !== undefined) faults.push(...check(value[name], property, place));
    else faults.push(unknownField(place, value[name], schema));
  }
  return faults;
}

function demandOf(name: string, schema: Schema): string {
  return demand(propertySchema(schema, name) ?? {});
}

function checkList(list: readonly unknown[], schema: Schema, at: Segments): Fault[] {
  const { minItems = 0, maxItems = Infinity, items = {} } = schema;
  // What is too long is not looked into: that bounds the work.
  if (list.length < minItems || list.length > maxItems) return [misfit(at, list, schema)];
  const faults = list.map((item, index) => check(item, items, [...at, index]));
  const firstAt = new Map<unknown, number>();
  list.forEach((item, index) => {
    const identity = identityOf(item, schema);
    const first = firstAt.get(identity);
    if (identity === undefined || first === undefined) firstAt.set(identity, index);
    else if (faults[index]?.length === 0) faults[index] = [duplicate(item, schema, at, [first, index])];
  });
  return faults.flat();
}

/** What must not occur twice: the item of a set, the key of an item of a map; undefined if it may, or is invalid. */
function identityOf(item: unknown, schema: Schema): unknown {
  if (schema['x-kubernetes-list-type'] === 'set') return item;
  const [key] = schema['x-kubernetes-list-map-keys'] ?? [];
  return key !== undefined && isMap(item) ? item[key] : undefined;
}

function duplicate(item: unknown, schema: Schema, at: Segments, [first, index]: [number, number]): Fault {
  const [key] = schema['x-kubernetes-list-map-keys'] ?? [];
  const place = [...at, index];
  const other = pathOf([...at, first]);
  if (key === undefined) return invalidFault(place, item, `must differ from ${other}`);
  return invalidFault(place, identityOf(item, schema), `must have another ${key} than ${other}`);
}

function isAllowedScalar(value: unknown, schema: Schema): boolean {
  if (schema.enum?.includes(value) === false) return false;
  if (schema['x-kubernetes-int-or-string'] === true) return isInteger(value, schema) || isText(value, schema);
  switch (schema.type) {
    case 'string':
      return isText(value, schema);
    case 'integer':
      return isInteger(value, schema);
    case 'boolean':
      return typeof value === 'boolean';
    default:
      return true;
  }
}

function isInteger(value: unknown, { minimum = -Infinity, maximum = Infinity }: Schema): boolean {
  return typeof value === 'number' && Number.isInteger(value) && value >= minimum && value <= maximum;
}

function isText(value: unknown, { minLength = 0, maxLength = Infinity, pattern }: Schema): boolean {
  if (typeof value !== 'string') return false;
  // UTF-16 units are at least as many as characters, and at most twice as many.
  const length = value.length > 2 * maxLength ? value.length : Array.from(value).length;
  if (length < minLength || length > maxLength) return false;
  return pattern === undefined || new RegExp(pattern, 'u').test(value);
}
