import { PATTERNS } from '../../../schema/patterns.ts';
import { everyRole } from '../../config/shared-fields.ts';
import { duration, flag, section, text } from '../../config/fields.ts';
import { roleConfig } from '../../config/role-config.ts';
import type { ConfigOf } from '../../config/role-config.ts';
import { stores } from '../../config/stores.ts';

/** The configuration of a feeder. */
export const feederConfig = roleConfig(
  {
    kind: 'FeederConfig',
    description: 'The role that loads the fraud list from the object store into the cache.',
  },
  {
    source: section(
      { description: 'The object that holds the fraud list, one name per line.' },
      {
        bucket: text({
          description: 'Its bucket.',
          source: 'spec.feeder.source.bucket',
          minLength: 3,
          maxLength: 63,
          pattern: PATTERNS.bucket,
          example: 'fraud',
        }),
        key: text({
          description: 'Its key within the bucket.',
          source: 'spec.feeder.source.key',
          minLength: 1,
          maxLength: 1024,
          example: 'fraud-list.txt',
        }),
      },
    ),
    interval: duration({
      description: 'How often the fraud list is looked at for a change, from 1s to 24h.',
      source: 'spec.feeder.interval',
      default: '30s',
      min: '1s',
      max: '24h',
    }),
    allowEmpty: flag({
      description:
        'Whether an empty fraud list is taken over. Otherwise it is refused, and the last one stays.',
      source: 'spec.feeder.allowEmpty',
      default: false,
    }),
    ...everyRole,
    stores: stores('cache', 'objectStore'),
  },
);

/** A feeder's configuration, compiled. */
export type FeederConfig = ConfigOf<typeof feederConfig>;
