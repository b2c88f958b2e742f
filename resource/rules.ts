import { Environment } from '@marcbachmann/cel-js';
import { propertySchema } from './defaults.ts';
import { faultAt, invalidFault, isMap } from './fault.ts';
import type { Fault, Segments } from './fault.ts';
import type { Rule, Schema } from './schema.ts';

type Program = (variables: { self: unknown; oldSelf: unknown }) => unknown;
interface Place {
  readonly at: Segments;
  readonly value: unknown;
  /** What stood here before; undefined if nothing did. */
  readonly old: unknown;
}

/**
 * The faults of the schema's CEL rules (x-kubernetes-validations), for a value that has passed `check`. Rules
 * about changes (those that name oldSelf) are asked only where there is an old value, as on the API server.
 */
export function brokenRules(value: unknown, old: unknown, schema: Schema): Fault[] {
  return walk({ at: [], value, old }, schema);
}

function walk(place: Place, schema: Schema): Fault[] {
  const faults = (schema['x-kubernetes-validations'] ?? [])
    .filter((rule) => !holds(rule, place, schema))
    .map((rule) => faultOf(rule, place));
  return [...faults, ...children(place, schema).flatMap(([child, childSchema]) => walk(child, childSchema))];
}

function children({ at, value, old }: Place, schema: Schema): [Place, Schema][] {
  if (Array.isArray(value)) {
    const { items = {} } = schema;
    // An item has no old value: its position does not tell which one it was.
    return value.map((item: unknown, index) => [{ at: [...at, index], value: item, old: undefined }, items]);
  }
  if (!isMap(value)) return [];
  return Object.entries(value).flatMap(([name, child]): [Place, Schema][] => {
    const childSchema = propertySchema(schema, name);
    const before = isMap(old) ? old[name] : undefined;
    return childSchema === undefined ? [] : [[{ at: [...at, name], value: child, old: before }, childSchema]];
  });
}

function holds({ rule }: Rule, { value, old }: Place, schema: Schema): boolean {
  if (/\boldSelf\b/.test(rule) && old === undefined) return true;
  try {
    return program(rule)({ self: celValue(value, schema), oldSelf: celValue(old, schema) }) === true;
  } catch {
    // As on the API server: a rule that cannot be evaluated (a number that overflows) does not hold.
    return false;
  }
}

function faultOf({ message, fieldPath }: Rule, { at, value }: Place): Fault {
  const inner = fieldPath === undefined ? [] : fieldPath.split('.').slice(1);
  const found = inner.reduce<unknown>((parent, name) => (isMap(parent) ? parent[name] : undefined), value);
  const place = [...at, ...inner];
  if (found === undefined) return faultAt('missing', place, found, message);
  return typeof found === 'object'
    ? faultAt('invalid', place, found, message)
    : invalidFault(place, found, message);
}

/** CEL tells whole numbers from others by type; in JavaScript they are bigint. */
function celValue(value: unknown, schema: Schema): unknown {
  if (typeof value === 'number') return schema.type === 'integer' ? BigInt(value) : value;
  if (Array.isArray(value)) return value.map((item) => celValue(item, schema.items ?? {}));
  if (!isMap(value)) return value;
  return Object.fromEntries(
    Object.entries(value).map(([name, child]) => [name, celValue(child, propertySchema(schema, name) ?? {})]),
  );
}

const programs = new Map<string, Program>();
let environment: Environment | undefined;

function program(rule: string): Program {
  let compiled = programs.get(rule);
  if (compiled === undefined) {
    environment ??= new Environment().registerVariable('self', 'dyn').registerVariable('oldSelf', 'dyn');
    compiled = environment.parse(rule);
    programs.set(rule, compiled);
  }
  return compiled;
}
