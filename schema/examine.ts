import { check } from './check.ts';
import { withDefaults } from './defaults.ts';
import type { Fault } from './fault.ts';
import { brokenRules } from './rules.ts';
import type { Schema } from './structural.ts';

/** A value with the schema's defaults, and everything that is wrong with it. */
export interface Examined {
  /** Has the shape that the schema describes when there are no faults. */
  readonly complete: unknown;
  readonly faults: readonly Fault[];
}

/**
 * Checks any JSON value as the API server would: defaults first, then the schema (strictly: unknown fields are
 * faults), then the rules; those about changes only when `old`, what is there now, is given. Unlike the API
 * server it asks the rules also when the schema found faults elsewhere. Never throws.
 */
export function examine(value: unknown, schema: Schema, old?: unknown): Examined {
  const complete = withDefaults(value, schema);
  const misfits = check(complete, schema);
  return { complete, faults: [...misfits, ...brokenRules(complete, old, schema, misfits)] };
}
