import { check } from './check.ts';
import { withDefaults } from './defaults.ts';
import type { Fault } from './fault.ts';
import type { MiniPlatform } from './generated/mini-platform.ts';
import { brokenRules } from './rules.ts';
import { miniPlatformSchema } from './schema.ts';

/** A MiniPlatform with defaults applied, deeply frozen; or everything that is wrong with it. */
export type Validated<F extends Fault = Fault> =
  | { readonly ok: true; readonly resource: MiniPlatform }
  | { readonly ok: false; readonly faults: readonly F[] };

/**
 * Checks any JSON value as the API server would: defaults first, then the schema (strictly: unknown fields are
 * refused), then, if that passed, the rules; those about changes only when `old`, what is there now, is given.
 * The status, and what else the server writes, is accepted and left out of the result. Never throws.
 */
export function validateMiniPlatform(value: unknown, old?: MiniPlatform): Validated {
  const schema = miniPlatformSchema();
  const complete = withDefaults(value, schema);
  const misfits = check(complete, schema);
  const faults = misfits.length > 0 ? misfits : brokenRules(complete, old, schema);
  if (faults.length > 0) return { ok: false, faults };
  // What passed the schema has the shape of the type that is generated from it.
  return { ok: true, resource: deepFreeze(ownFields(complete as MiniPlatform)) };
}

function ownFields({ apiVersion, kind, metadata, spec }: MiniPlatform): MiniPlatform {
  const { name, namespace, labels, annotations } = metadata;
  return {
    apiVersion,
    kind,
    metadata: {
      name,
      namespace,
      ...(labels === undefined ? {} : { labels }),
      ...(annotations === undefined ? {} : { annotations }),
    },
    spec,
  };
}

function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null) {
    Object.values(value).forEach(deepFreeze);
    Object.freeze(value);
  }
  return value;
}
