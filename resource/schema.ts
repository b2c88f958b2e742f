import { readFileSync } from 'node:fs';

/** A CEL rule of the schema: `rule` must hold, otherwise `message` says what is wrong. */
export interface Rule {
  readonly rule: string;
  readonly message: string;
  /** Where the fault lies, relative to the rule, for example `.masterName`. */
  readonly fieldPath?: string;
}

/**
 * The part of Kubernetes' structural OpenAPI v3 schema that the MiniPlatform CRD uses. It describes a map
 * (`properties` or `additionalProperties`), a list (`items`) or a scalar.
 */
export interface Schema {
  readonly description?: string;
  readonly type?: 'object' | 'array' | 'string' | 'integer' | 'boolean';
  readonly format?: string;
  readonly default?: unknown;
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
}

/** Group and version of the resource. */
export const API_VERSION = 'mini-platform.io/v1alpha1';
/** Kind of the resource. */
export const KIND = 'MiniPlatform';

const DNS_LABEL = '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$';
const ANYTHING: Schema = { 'x-kubernetes-preserve-unknown-fields': true };
/** What the API server writes into metadata: accepted, so that what `kubectl get -o yaml` prints can be run. */
const SERVER_METADATA = [
  'creationTimestamp',
  'deletionGracePeriodSeconds',
  'deletionTimestamp',
  'finalizers',
  'generateName',
  'generation',
  'managedFields',
  'ownerReferences',
  'resourceVersion',
  'selfLink',
  'uid',
];

/**
 * The schema of a whole object as the laptop command sees it: what the CRD says of it, with what the API server
 * itself adds for every kind (type and metadata). The status is accepted and not looked at.
 */
export function withObjectMeta(crd: Schema): Schema {
  const properties = crd.properties ?? {};
  const texts = (description: string): Schema => ({
    description,
    type: 'object',
    additionalProperties: { type: 'string' },
  });
  return {
    ...crd,
    required: ['apiVersion', 'kind', 'metadata'],
    properties: {
      ...properties,
      apiVersion: { ...properties['apiVersion'], enum: [API_VERSION] },
      kind: { ...properties['kind'], enum: [KIND] },
      metadata: {
        description: 'Name, namespace, labels and annotations, as of any Kubernetes object.',
        type: 'object',
        // So that what is reported missing is the name, as the API server does.
        default: {},
        required: ['name'],
        properties: {
          ...properties['metadata']?.properties,
          namespace: {
            description: 'Namespace of the platform.',
            type: 'string',
            default: 'default',
            minLength: 1,
            maxLength: 63,
            pattern: DNS_LABEL,
          },
          labels: texts('Labels, to select by.'),
          annotations: texts('Annotations, for tools.'),
          ...Object.fromEntries(SERVER_METADATA.map((name) => [name, ANYTHING])),
        },
      },
      status: ANYTHING,
    },
  };
}

let schema: Schema | undefined;

/**
 * The schema that a MiniPlatform is checked against (see `withObjectMeta`). It is read once, from the JSON that
 * `npm run generate` makes of crds/miniplatforms.yaml: parsing that YAML alone would take 35 ms at each start.
 */
export function miniPlatformSchema(): Schema {
  schema ??= withObjectMeta(crdSchema());
  return schema;
}

/** The openAPIV3Schema of version v1alpha1, as the CRD has it. */
export function crdSchema(): Schema {
  const file = new URL('./generated/mini-platform.schema.json', import.meta.url);
  // Trusted: generated from the CRD, and a test compares the two.
  return JSON.parse(readFileSync(file, 'utf8')) as Schema;
}
