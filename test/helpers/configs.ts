import { type RoleConfigs, roleConfigs } from '../../cli/up/role-configs.ts';
import type { MiniPlatform } from '../../resource/generated/mini-platform.ts';

/** The configurations by which one process runs the platform, on ports of the system's choice. */
export function configsOf(resource: MiniPlatform): RoleConfigs {
  const flags = { port: 0, metricsPort: 0, adminPort: 0, logFormat: 'json', logLevel: 'error' } as const;
  return roleConfigs({ resource, flags, secretsDir: 'secrets', onTerminal: false });
}
