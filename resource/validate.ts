import { examine } from '../schema/examine.ts';
import type { Fault } from '../schema/fault.ts';
import { deepFreeze } from '../schema/freeze.ts';
import type { MiniPlatform } from './generated/mini-platform.ts';
import { miniPlatformSchema } from './schema.ts';

/** A MiniPlatform with defaults applied, deeply frozen; or everything that is wrong with it. */
export type Validated<F extends Fault = Fault> =
  | { readonly ok: true; readonly resource: MiniPlatform }
  | { readonly ok: false; readonly faults: readonly F[] };

/**
 * Checks any JSON value against the schema of the resource (see `examine`); `old` is the platform that is there now.
 * The status, and what else the server writes, is accepted and left out of the result. Never throws.
 */
export function validateMiniPlatform(value: unknown, old?: MiniPlatform): Validated {
  const { complete, faults } = examine(value, miniPlatformSchema(), old);
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
