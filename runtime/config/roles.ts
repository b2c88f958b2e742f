import { archiverConfig } from '../roles/archiver/config.ts';
import { dispatcherConfig } from '../roles/dispatcher/config.ts';
import { feederConfig } from '../roles/feeder/config.ts';
import { workerConfig } from '../roles/worker/config.ts';

/** The configuration of every role. */
export const ROLE_CONFIGS = {
  dispatcher: dispatcherConfig,
  worker: workerConfig,
  feeder: feederConfig,
  archiver: archiverConfig,
} as const;
