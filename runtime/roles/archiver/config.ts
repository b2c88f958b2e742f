import { PATTERNS } from '../../../schema/patterns.ts';
import { everyRole } from '../../config/shared-fields.ts';
import { duration, integer, text } from '../../config/fields.ts';
import { roleConfig } from '../../config/role-config.ts';
import type { ConfigOf } from '../../config/role-config.ts';
import { stores } from '../../config/stores.ts';
import { LONG_TERM_STORAGE } from '../../domain-kit/event.ts';

/** The configuration of an archiver. */
export const archiverConfig = roleConfig(
  {
    kind: 'ArchiverConfig',
    description: 'The role that keeps every event, in batches, in the object store.',
  },
  {
    topic: text({
      description: 'The topic to archive, without the prefix that all topics have.',
      default: LONG_TERM_STORAGE,
      minLength: 1,
      maxLength: 128,
      pattern: PATTERNS.name,
    }),
    bucket: text({
      description: 'Bucket of the archive.',
      source: 'spec.s3.buckets.archive',
      minLength: 3,
      maxLength: 63,
      pattern: PATTERNS.bucket,
      example: 'default-bank',
    }),
    batchSize: integer({
      description: 'Events in one archived object, at most.',
      source: 'spec.archiver.batchSize',
      default: 1_000,
      minimum: 1,
      maximum: 100_000,
    }),
    maxAge: duration({
      description: 'After how long a batch is archived though it is not full, from 1s to 1h.',
      source: 'spec.archiver.maxAge',
      default: '30s',
      min: '1s',
      max: '1h',
    }),
    ...everyRole,
    stores: stores('eventLog', 'objectStore'),
  },
);

/** An archiver's configuration, compiled. */
export type ArchiverConfig = ConfigOf<typeof archiverConfig>;
