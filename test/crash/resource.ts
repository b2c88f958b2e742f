import { writeFileSync } from 'node:fs';
import path from 'node:path';
import { FRAUD_LIST } from './fraud-list.ts';

export const PLATFORM = 'bank';
export const ARCHIVE_BUCKET = 'archive';

/** With the buckets that the platform is given, and what is in them. */
export const SEED = path.join(import.meta.dirname, '..', '..', 'examples', 'seed');

/**
 * Writes the resource that the suite runs: a bank whose archiver and resender work in small steps, so that they have
 * many moments in which they can be killed. `deadline`: after how long a write is parked.
 */
export function writeResource(file: string, deadline = '1s'): void {
  writeFileSync(
    file,
    `apiVersion: mini-platform.io/v1alpha1
kind: MiniPlatform
metadata:
  name: ${PLATFORM}
  annotations:
    mini-platform.io/seed: ${SEED}
spec:
  domains: [bank]
  worker:
    replicas: 2
  feeder:
    source:
      bucket: ${FRAUD_LIST.bucket}
      key: ${FRAUD_LIST.key}
  archiver:
    batchSize: 20
    maxAge: 1s
  s3:
    buckets:
      archive: ${ARCHIVE_BUCKET}
  retry:
    deadline: ${deadline}
    maxAttempts: 3
    backoff:
      initial: 100ms
      max: 1s
`,
  );
}
