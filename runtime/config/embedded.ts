import type { RoleConfig } from './role-config.ts';

/**
 * A role's configuration in a process that has stores and a membership of its own to offer: a store that is absent
 * is embedded, and who the dispatchers are is not configured.
 */
export type EmbeddedConfig<T extends { readonly stores: object }> = Omit<T, 'stores' | 'dispatchers'> & {
  readonly stores: Partial<T['stores']>;
};

/** The configuration as `mini-platform up` compiles it (see EmbeddedConfig). A file cannot ask for that. */
export function embedded<T extends { readonly stores: object }>({
  kind,
  fields,
}: RoleConfig<T>): RoleConfig<EmbeddedConfig<T>> {
  const { required = [], properties = {} } = fields;
  return {
    kind,
    fields: {
      ...fields,
      required: required.filter((name) => name !== 'stores' && name !== 'dispatchers'),
      properties: { ...properties, stores: { ...properties['stores'], required: [], default: {} } },
    },
  };
}
