import type { Fault } from './fault.ts';
import { NETWORK_FAULTS } from './network-faults.ts';
import { PROCESS_FAULTS } from './process-faults.ts';
import { SERVICE_FAULTS } from './service-faults.ts';
import type { Topology } from './topology.ts';

/** All faults of the suite. */
export const FAULTS: readonly Fault<Topology>[] = [...PROCESS_FAULTS, ...SERVICE_FAULTS, ...NETWORK_FAULTS];
