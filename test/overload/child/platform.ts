import { up } from '../../../cli/up/up.ts';
import { slowStores, type Slowness } from './slow-stores.ts';

/** What the process is told on its command line, as JSON. */
export interface SlowPlatformOrders {
  readonly file: string;
  readonly stateDir: string;
  readonly slowness: Slowness;
}

/** Runs a platform on slow stores; for a process of its own. */
export async function runSlowPlatform({ file, stateDir, slowness }: SlowPlatformOrders): Promise<void> {
  process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
  await up(
    file,
    {
      port: 0,
      metricsPort: 0,
      adminPort: 0,
      stateDir,
      secretsDir: 'secrets',
      logFormat: 'json',
      logLevel: 'error',
    },
    { wrapStores: (ports) => slowStores(ports, slowness) },
  );
}
