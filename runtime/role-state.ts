import type { Lifecycle } from './lifecycle.ts';
import type { Logger } from './logging.ts';
import type { Metrics } from './metrics.ts';

export interface RoleStateOptions {
  readonly metrics: Pick<Metrics, 'roleState'>;
  /** Absent: changes are not logged. */
  readonly logger?: Logger;
}

/** Shows the states of a role's life in metrics, and in the log. */
export function observeLifecycle(
  role: string,
  lifecycle: Lifecycle,
  { metrics, logger }: RoleStateOptions,
): void {
  lifecycle.watch((state, before) => {
    if (before !== undefined) metrics.roleState.dec({ role, state: before });
    if (state !== 'STOPPED') metrics.roleState.inc({ role, state });
    logger?.info({ role, state }, `the ${role} is ${state}`);
  });
}
