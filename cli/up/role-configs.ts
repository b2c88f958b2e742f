import type { MiniPlatform } from '../../resource/generated/mini-platform.ts';
import { archiveBucket } from '../../resource/names.ts';
import { embedded } from '../../runtime/config/embedded.ts';
import type { EmbeddedConfig } from '../../runtime/config/embedded.ts';
import { compileConfig, roleConfig } from '../../runtime/config/role-config.ts';
import type { RoleConfig } from '../../runtime/config/role-config.ts';
import { ROLE_CONFIGS } from '../../runtime/config/roles.ts';
import { stores, type StoreConfigs } from '../../runtime/config/stores.ts';
import type { LogFormat, LogLevel } from '../../runtime/logging.ts';
import type { ArchiverConfig } from '../../runtime/roles/archiver/config.ts';
import type { DispatcherConfig } from '../../runtime/roles/dispatcher/config.ts';
import type { FeederConfig } from '../../runtime/roles/feeder/config.ts';
import type { WorkerConfig } from '../../runtime/roles/worker/config.ts';
import { API_VERSION } from '../../schema/api-version.ts';
import { CommandError } from '../command-error.ts';
import type { UpFlags } from './flags.ts';
import { storeConfigs } from './store-configs.ts';

/** The configurations of the roles that one process runs, each deeply frozen. */
export interface RoleConfigs {
  /** Every service that the resource names, whichever role uses it. */
  readonly services: Partial<StoreConfigs>;
  readonly dispatcher: EmbeddedConfig<DispatcherConfig>;
  /** Of every worker; each has a uid besides. */
  readonly worker: EmbeddedConfig<WorkerConfig>;
  /** None when the resource names no fraud list. */
  readonly feeder: EmbeddedConfig<FeederConfig> | undefined;
  /** None when the resource wants no archiver. */
  readonly archiver: EmbeddedConfig<ArchiverConfig> | undefined;
}

export interface RoleConfigsOptions {
  readonly resource: MiniPlatform;
  readonly flags: Pick<UpFlags, 'port' | 'metricsPort' | 'adminPort' | 'logFormat' | 'logLevel'>;
  /** Folder with the secrets that the resource names, as `<secret>/<key>`. */
  readonly secretsDir: string;
  /** Whether logs go to a terminal. */
  readonly onTerminal: boolean;
}

const EVERY_STORE = roleConfig(
  { kind: 'Stores', description: 'The services of a platform.' },
  { stores: stores('eventLog', 'documentStore', 'cache', 'objectStore') },
);

/**
 * The roles' configurations as the resource and the flags of `up` have them: everything on loopback, and embedded
 * stores where the resource names no service. Throws a CommandError when flags contradict each other.
 */
export function roleConfigs({ resource, flags, secretsDir, onTerminal }: RoleConfigsOptions): RoleConfigs {
  const { domains, worker, feeder, archiver, retry } = resource.spec;
  const sections = storeConfigs(resource, secretsDir);
  const { eventLog, documentStore, cache, objectStore } = sections;
  const everyRole = { metrics: { port: flags.metricsPort }, log: logConfig(flags, onTerminal) };
  // Who binds this port is told it by the system, and tells it to the others.
  const anyPort = { port: 0 };
  return {
    services: compile(embedded(EVERY_STORE), { stores: sections }).stores,
    dispatcher: compile(embedded(ROLE_CONFIGS.dispatcher), {
      ...everyRole,
      domains,
      http: { port: flags.port ?? resource.spec.dispatcher.service.port },
      admin: { port: flags.adminPort },
      join: anyPort,
      maxMembers: worker.maxMembers,
      retry,
      stores: { eventLog, cache },
    }),
    worker: compile(embedded(ROLE_CONFIGS.worker), {
      ...everyRole,
      domains,
      link: anyPort,
      stores: { eventLog, documentStore, cache },
    }),
    feeder:
      feeder.source === undefined
        ? undefined
        : compile(embedded(ROLE_CONFIGS.feeder), { ...everyRole, ...feeder, stores: { cache, objectStore } }),
    archiver:
      archiver.replicas === 0
        ? undefined
        : compile(embedded(ROLE_CONFIGS.archiver), {
            ...everyRole,
            batchSize: archiver.batchSize,
            maxAge: archiver.maxAge,
            bucket: archiveBucket(resource),
            stores: { eventLog, objectStore },
          }),
  };
}

/** On a terminal the command's own lines tell what happens, so logs are for what goes wrong. */
export function logConfig(
  { logFormat, logLevel }: Pick<UpFlags, 'logFormat' | 'logLevel'>,
  onTerminal: boolean,
): { readonly format: LogFormat; readonly level: LogLevel } {
  const usualFormat = onTerminal ? 'pretty' : 'json';
  const format = logFormat === 'auto' ? usualFormat : logFormat;
  const usualLevel = format === 'pretty' ? 'warn' : 'info';
  return { format, level: logLevel === 'auto' ? usualLevel : logLevel };
}

function compile<T>(declared: RoleConfig<T>, fields: object): T {
  const compiled = compileConfig(declared, { apiVersion: API_VERSION, kind: declared.kind, ...fields });
  if (compiled.ok) return compiled.config;
  // The resource is valid, so this is about ports.
  const faults = compiled.faults.map(({ path, message }) => `${declared.kind}: ${path}: ${message}`);
  throw new CommandError(
    `${faults.join('\n')}\nChoose other ones with --port, --metrics-port and --admin-port.`,
  );
}
