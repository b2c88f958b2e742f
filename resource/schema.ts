import { readFileSync } from 'node:fs';
import { API_VERSION } from '../schema/api-version.ts';
import type { Schema } from '../schema/structural.ts';

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
