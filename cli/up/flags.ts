import type { LogFormat, LogLevel } from '../../runtime/logging.ts';

/** Flags of `up`, as they were given. */
export interface UpFlags {
  /** Undefined: the one that the resource names. */
  readonly port?: number;
  readonly metricsPort: number;
  readonly adminPort: number;
  readonly stateDir: string;
  /** Folder with the Secrets that the resource names, as `<secret>/<key>`. */
  readonly secretsDir: string;
  readonly logFormat: LogFormat | 'auto';
  readonly logLevel: LogLevel | 'auto';
}
