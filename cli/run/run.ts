import type { FastifyInstance } from 'fastify';
import { logVerbosity, setLogVerbosity } from '@grpc/grpc-js';
import { systemClock } from '../../runtime/clock.ts';
import { openServices, type Services } from '../../runtime/compose/services.ts';
import { createLogger, type Logger } from '../../runtime/logging.ts';
import { createMetrics, type Metrics } from '../../runtime/metrics.ts';
import { startMetricsServer } from '../../runtime/metrics-server.ts';
import { observeLifecycle } from '../../runtime/role-state.ts';
import { ABORTED } from '../exit-codes.ts';
import { listenFailure } from '../listen-failure.ts';
import { onStopSignals } from '../signals.ts';
import { startFailure } from '../start-failure.ts';
import type { RoleName } from './role-names.ts';
import { ROLE_SETUPS } from './role-setups.ts';
import type { RoleSetup, RunnableRole } from './runnable-role.ts';

interface RoleProcess {
  readonly setup: RoleSetup;
  readonly services: Services;
  readonly role: RunnableRole;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** Runs a role until it is told to stop. Throws a CommandError when it cannot run as it is configured. */
export async function run(name: RoleName, file: string): Promise<void> {
  // What it would write is no JSON, and comes back as an error besides.
  setLogVerbosity(logVerbosity.NONE);
  try {
    await serve(await make(name, file));
  } catch (error) {
    throw startFailure(error);
  }
}

/** Everything that a role is, from its file; nothing is started or connected. */
async function make(name: RoleName, file: string): Promise<RoleProcess> {
  const setup = ROLE_SETUPS[name](file);
  const { log, stores } = setup.config;
  const logger = createLogger(log.format, log.level);
  const metrics = createMetrics();
  const clock = systemClock;
  const clientName = `mini-platform-${name}`;
  const services = await openServices(stores, { clientName, clock, logger, metrics });
  const role = setup.create({ services, clock, logger, metrics });
  observeLifecycle(name, role.lifecycle, { metrics, logger });
  return { setup, services, role, logger, metrics };
}

/** Starts in order, health and metrics first, and stops in the reverse order: on a signal, or when it must not run. */
async function serve(process: RoleProcess): Promise<void> {
  const { setup, services, role, logger } = process;
  const { metrics, drainTimeoutMs } = setup.config;
  let server: FastifyInstance | undefined;
  const stopped = stopSignal(logger);
  try {
    server = await serveMetrics(process);
    const failed = role.start().then(() => new Promise<never>(() => {}));
    await Promise.race([stopped, failed]);
  } catch (error) {
    throw listenFailure(error, { ...setup.servers, metrics });
  } finally {
    await role.stop(drainTimeoutMs);
    await services.close();
    await server?.close();
  }
  logger.info('stopped; nothing that was answered is lost');
}

/** Resolves on the first signal; a second one ends the process at once. */
function stopSignal(logger: Logger): Promise<void> {
  return new Promise((resolve) => {
    onStopSignals(
      (signal) => {
        logger.info({ signal }, 'draining; once more stops at once');
        resolve();
      },
      () => {
        logger.warn('stopped at once');
        process.exit(ABORTED);
      },
    );
  });
}

async function serveMetrics({
  setup,
  services,
  role,
  logger,
  metrics,
}: RoleProcess): Promise<FastifyInstance> {
  const { host, port } = setup.config.metrics;
  const server = await startMetricsServer({
    host,
    port,
    metrics,
    roles: () => [role.readiness()],
    waitsFor: () => services.waitsFor(),
    collect: () => role.collect?.(),
  });
  const bound = server.server.address();
  const at = typeof bound === 'object' && bound !== null ? bound.port : port;
  logger.info({ metrics: `http://${host}:${at}` }, 'health and metrics are served');
  return server;
}
