/** A CEL rule of the schema: `rule` must hold, otherwise `message` says what is wrong. */
export interface Rule {
  readonly rule: string;
  readonly message: string;
  /** Where the fault lies, relative to the rule, for example `.masterName`. */
  readonly fieldPath?: string;
}

/**
 * The part of Kubernetes' structural OpenAPI v3 schema that the MiniPlatform CRD and the roles' configuration use.
 * It describes a map (`properties` or `additionalProperties`), a list (`items`) or a scalar.
 */
export interface Schema {
  readonly description?: string;
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'boolean';
  readonly format?: string;
  readonly default?: unknown;
  readonly example?: unknown;
  readonly enum?: readonly unknown[];
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: Schema;
  readonly maxProperties?: number;
  readonly items?: Schema;
  readonly minItems?: number;
  readonly maxItems?: number;
  readonly pattern?: string;
  readonly minLength?: number;
  readonly maxLength?: number;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly anyOf?: readonly Schema[];
  readonly 'x-kubernetes-int-or-string'?: boolean;
  readonly 'x-kubernetes-preserve-unknown-fields'?: boolean;
  readonly 'x-kubernetes-list-type'?: 'set' | 'map' | 'atomic';
  readonly 'x-kubernetes-list-map-keys'?: readonly string[];
  readonly 'x-kubernetes-validations'?: readonly Rule[];
  /** What stands here is or leads to a secret: no fault shows it. */
  readonly 'x-secret'?: boolean;
  /** The field of the MiniPlatform that this one is made from, for example `spec.archiver.batchSize`. */
  readonly 'x-source'?: string;
}

/** The schema of a map's field; undefined if there is no such field. */
export function propertySchema(schema: Schema, name: string): Schema | undefined {
  const { properties = {}, additionalProperties } = schema;
  return Object.hasOwn(properties, name) ? properties[name] : additionalProperties;
}
