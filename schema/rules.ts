import { Environment } from '@marcbachmann/cel-js';
import { faultAt, invalidFault, isMap } from './fault.ts';
import type { Fault, Segments } from './fault.ts';
import { propertySchema } from './structural.ts';
import type { Rule, Schema } from './structural.ts';

type Program = (variables: { self: unknown; oldSelf: unknown }) => unknown;
interface Place {
  readonly at: Segments;
  readonly value: unknown;
  /** What stood here before; undefined if nothing did. */
  readonly old: unknown;
}

/**
 * The faults of the schema's CEL rules (x-kubernetes-validations). Rules about changes (those that name oldSelf)
 * are asked only where there is an old value, as on the API server. A rule that reads what `check` found fault
 * with (`misfits`) is not asked; the others are, so that all that is wrong is told at once.
 */
export function brokenRules(
  value: unknown,
  old: unknown,
  schema: Schema,
  misfits: readonly Fault[] = [],
): Fault[] {
  const blamed = misfits.map(({ segments }) => segments);
  const walk = (place: Place, placeSchema: Schema): Fault[] => {
    if (blamed.some((segments) => isSame(segments, place.at))) return [];
    const faults = (placeSchema['x-kubernetes-validations'] ?? [])
      .filter((rule) => !readsOf(rule, place.at).some((read) => blamed.some((at) => areRelated(at, read))))
      .filter((rule) => !holds(rule, place, placeSchema))
      .map((rule) => faultOf(rule, place));
    return [...faults, ...children(place, placeSchema).flatMap((child) => walk(...child))];
  };
  return walk({ at: [], value, old }, schema);
}

/** The places that a rule reads; a name that is a method of CEL does no harm at the end of a path. */
function readsOf({ rule }: Rule, at: Segments): Segments[] {
  return [...rule.matchAll(/\bself((?:\.\w+)*)/g)].map(([, path = '']) => [
    ...at,
    ...path.split('.').slice(1),
  ]);
}

/** Whether one place lies within the other, or they are the same. */
function areRelated(a: Segments, b: Segments): boolean {
  const shared = Math.min(a.length, b.length);
  return isSame(a.slice(0, shared), b.slice(0, shared));
}

function isSame(a: Segments, b: Segments): boolean {
  return a.length === b.length && a.every((segment, index) => segment === b[index]);
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

function faultOf(rule: Rule, { at, value }: Place): Fault {
  const { message, fieldPath } = rule;
  const others = readsOf(rule, at);
  const inner = fieldPath === undefined ? [] : fieldPath.split('.').slice(1);
  const found = inner.reduce<unknown>((parent, name) => (isMap(parent) ? parent[name] : undefined), value);
  const place = [...at, ...inner];
  if (found === undefined) return { ...faultAt('missing', place, found, message), others };
  return typeof found === 'object'
    ? { ...faultAt('invalid', place, found, message), others }
    : { ...invalidFault(place, found, message), others };
}

/** CEL tells whole numbers from others by type; in JavaScript they are bigint. */
function celValue(value: unknown, schema: Schema): unknown {
  if (typeof value === 'number') {
    return schema.type === 'integer' && Number.isInteger(value) ? BigInt(value) : value;
  }
  if (Array.isArray(value)) return value.map((item) => celValue(item, schema.items ?? {}));
  if (!isMap(value)) return value;
  // No rule speaks of fields that the schema does not name.
  return Object.fromEntries(
    Object.entries(value).flatMap(([name, child]) => {
      const property = propertySchema(schema, name);
      return property === undefined ? [] : [[name, celValue(child, property)]];
    }),
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
