import type { Clock } from '../../runtime/clock.ts';
import type { Services } from '../../runtime/compose/services.ts';
import type { Listen } from '../../runtime/config/shared-fields.ts';
import type { StoreConfigs } from '../../runtime/config/stores.ts';
import type { Lifecycle, Readiness } from '../../runtime/lifecycle.ts';
import type { Logger, LogFormat, LogLevel } from '../../runtime/logging.ts';
import type { Metrics } from '../../runtime/metrics.ts';

/** What every role's configuration has. */
export interface ProcessConfig {
  readonly metrics: Listen;
  readonly log: { readonly level: LogLevel; readonly format: LogFormat };
  readonly drainTimeoutMs: number;
  readonly stores: Partial<StoreConfigs>;
}

/** What a role is made with. */
export interface RoleParts {
  readonly services: Services;
  readonly clock: Clock;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** A role that is a process of its own, made and not started. */
export interface RunnableRole {
  readonly lifecycle: Lifecycle;
  readiness(): Readiness;
  /** Brings gauges up to date. */
  collect?(): void;
  /**
   * Starts; resolves when everything that it needs was reached, or it stops meanwhile. Rejects with what ends the
   * process.
   */
  start(): Promise<void>;
  stop(deadlineMs: number): Promise<void>;
}

/** A role's configuration file, read: all that can be told from it alone is checked. */
export interface RoleSetup {
  readonly config: ProcessConfig;
  /** The servers of the role, by their field. */
  readonly servers: Readonly<Record<string, Listen>>;
  create(parts: RoleParts): RunnableRole;
}
