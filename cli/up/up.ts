import path from 'node:path';
import type { MiniPlatform } from '../../resource/generated/mini-platform.ts';
import { StateDirectoryError } from '../../runtime/adapters/embedded/state-directory.ts';
import { systemClock } from '../../runtime/clock.ts';
import { chooseDomains } from '../../runtime/compose/domains.ts';
import { SetupError } from '../../runtime/compose/setup-error.ts';
import type { StorePorts } from '../../runtime/compose/store-ports.ts';
import { openStores, type Stores } from '../../runtime/compose/stores.ts';
import type { Domain } from '../../runtime/domain-kit/domain.ts';
import { createLogger, type Logger } from '../../runtime/logging.ts';
import { createMetrics, type Metrics } from '../../runtime/metrics.ts';
import { STORE_TITLES, type StoreName } from '../../runtime/service-wait.ts';
import { readVersion } from '../../runtime/version.ts';
import { CommandError } from '../command-error.ts';
import { ABORTED } from '../exit-codes.ts';
import { onStopSignals } from '../signals.ts';
import { startFailure } from '../start-failure.ts';
import type { UpFlags } from './flags.ts';
import { followFile } from './live-edit.ts';
import { LocalPlatform } from './platform.ts';
import { type RoleConfigs, roleConfigs } from './role-configs.ts';
import { requireResource } from './resource-file.ts';
import { seed } from './seed.ts';
import { Terminal } from './terminal.ts';

/** Where a test takes part. */
export interface UpSeams {
  /** Puts other stores in the place of the embedded ones, which it is given. */
  readonly wrapStores?: (ports: StorePorts) => StorePorts;
}

interface Run {
  readonly file: string;
  readonly flags: UpFlags;
  readonly seams: UpSeams;
  readonly resource: MiniPlatform;
  readonly text: string;
  readonly terminal: Terminal;
  readonly configs: RoleConfigs;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** Runs a platform on this machine until it is told to stop. Throws a CommandError when it cannot run. */
export async function up(file: string, flags: UpFlags, seams: UpSeams = {}): Promise<void> {
  const terminal = new Terminal(process.stdout);
  const { resource, text } = requireResource(file);
  const domains = domainsOf(resource);
  const onTerminal = process.stderr.isTTY;
  const configs = roleConfigs({ resource, flags, secretsDir: flags.secretsDir, onTerminal });
  const { format, level } = configs.dispatcher.log;
  const logger = createLogger(format, level);
  const metrics = createMetrics();
  const run = { file, flags, seams, configs, resource, text, terminal, logger, metrics };
  const platform = new LocalPlatform({ configs, domains, version: readVersion(), logger, metrics });
  terminal.line(`${terminal.bold(resource.metadata.name)} (${file})`);
  const stopped = stopOnSignal(run, platform);
  try {
    const url = await Promise.race([start(run, platform), platform.failed]);
    tellReady(run, platform, url);
    await Promise.race([follow(run, platform, stopped), platform.failed]);
  } catch (error) {
    // Told to stop while it started: what fails then is of no interest.
    if (platform.isStopping) return stopped;
    await platform.stop();
    throw startFailure(error);
  }
}

/** Stops the platform on the first signal, and the process on the second; resolves when it has stopped. */
function stopOnSignal({ terminal }: Run, platform: LocalPlatform): Promise<void> {
  return new Promise((resolve, reject) => {
    onStopSignals(
      (signal) => {
        terminal.line(`${signal}: draining; once more stops at once ...`);
        platform.stop().then(() => {
          terminal.line('Stopped; nothing that was answered is lost.');
          resolve();
        }, reject);
      },
      () => {
        terminal.warn('Stopped at once.');
        process.exit(ABORTED);
      },
    );
  });
}

async function start(run: Run, platform: LocalPlatform): Promise<string> {
  const { file, resource, terminal } = run;
  const metricsUrl = await platform.startMetrics();
  terminal.step('metrics', `${metricsUrl}/metrics`);
  const stores = await open(run);
  platform.useStores(stores);
  // It has stopped without them.
  if (platform.isStopping) await stores.close();
  terminal.step('stores', describe(stores));
  const url = await platform.startDispatcher();
  terminal.step('dispatcher', `${url}, API description at ${url}/docs`);
  terminal.step('admin', `${await platform.startAdmin()}/parked`);
  await platform.prepareObjects(() => seed(stores.objects, resource, file));
  terminal.step('fraud list', await feed(run, platform));
  terminal.step('archive', archive(run, platform, stores));
  const { replicas, maxMembers } = resource.spec.worker;
  await platform.startWorkers(replicas);
  terminal.step('workers', `${platform.workers.joined} of ${replicas} joined`);
  if (replicas > maxMembers) {
    terminal.warn(
      `spec.worker.maxMembers is ${maxMembers}: the other workers are refused until it is raised.`,
    );
  }
  for (const { title, reason } of stores.waitsFor()) terminal.warn(`waits for ${title}: ${reason}`);
  return url;
}

async function open({ flags, seams, resource, configs, logger, metrics }: Run): Promise<Stores> {
  try {
    return await openStores({
      base: flags.stateDir,
      name: resource.metadata.name,
      services: configs.services,
      clock: systemClock,
      logger,
      metrics,
      wrap: seams.wrapStores,
    });
  } catch (error) {
    if (!(error instanceof StateDirectoryError)) throw error;
    throw new CommandError(`${error.message} (--state-dir)`, 1, { cause: error });
  }
}

/** Which stores are services, and where the others are. */
function describe({ places, directory }: Stores): string {
  const services = Object.values(places);
  const embedded = Object.keys(STORE_TITLES).filter((store) => !(store in places));
  const where = directory === undefined ? '' : `, in ${path.relative('', directory)}`;
  if (services.length === 0) return `embedded${where}`;
  if (embedded.length === 0) return services.join('; ');
  const titles = embedded.map((store) => STORE_TITLES[store as StoreName]);
  return `${services.join('; ')}; embedded: ${titles.join(', ')}${where}`;
}

/** Says that the platform is ready, or that it is when what it waits for is there. */
function tellReady({ terminal }: Run, platform: LocalPlatform, url: string): void {
  terminal.line();
  const isReady = platform.workers.joined > 0 || platform.workers.size === 0;
  if (isReady) {
    terminal.line(terminal.bold(`Ready in ${process.uptime().toFixed(1)} s: ${url}`));
  } else {
    terminal.line(terminal.bold(`Not ready yet: no worker has joined ${url}`));
    void platform.ready().then(() => {
      if (!platform.isStopping) terminal.line(terminal.bold(`Ready: ${url}`));
    });
  }
  printExamples(terminal, url);
}

async function feed({ resource, terminal }: Run, platform: LocalPlatform): Promise<string> {
  let isStarting = true;
  const feeder = await platform.startFeeder(({ names }) => {
    // Later loads are the log's to tell.
    if (isStarting) terminal.line(`  fraud list ${names} names so far ...`);
  });
  isStarting = false;
  const { source } = resource.spec.feeder;
  if (feeder === undefined || source === undefined) {
    return 'none: spec.feeder.source is not set, so writes that need it are kept and not decided';
  }
  const { list, trouble } = feeder;
  if (list !== undefined) return `${list.names} names from ${source.bucket}/${source.key}`;
  return `not loaded: ${trouble ?? 'it is still being looked for'}; writes that need it are kept until it is`;
}

function archive({ configs }: Run, platform: LocalPlatform, { places }: Stores): string {
  if (!platform.startArchiver() || configs.archiver === undefined) return 'none: spec.archiver.replicas is 0';
  const { bucket, batchSize, maxAgeMs } = configs.archiver;
  const where = places.objects === undefined ? `objects/${bucket}` : `bucket ${bucket}`;
  return `${where}, each ${batchSize} events or ${maxAgeMs / 1_000} s`;
}

async function follow(
  { file, resource, text, terminal }: Run,
  platform: LocalPlatform,
  stopped: Promise<void>,
): Promise<void> {
  const unfollow = followFile({
    file,
    resource,
    text,
    terminal,
    scale: async (replicas) => {
      await platform.workers.scale(replicas);
      await platform.workers.ready(5_000);
      terminal.step('workers', `${platform.workers.joined} of ${replicas} joined`);
    },
  });
  try {
    await stopped;
  } finally {
    unfollow();
  }
}

function domainsOf({ spec }: MiniPlatform): readonly Domain[] {
  try {
    return chooseDomains('spec.domains', spec.domains);
  } catch (error) {
    throw error instanceof SetupError ? new CommandError(error.message, 1, { cause: error }) : error;
  }
}

function printExamples(terminal: Terminal, url: string): void {
  terminal.line(`
Try it, in another terminal:

  curl -s ${url}/transaction -H 'content-type: application/json' -d '{"sender":"alice","receiver":"bob","amount":1250}'
  curl -s ${url}/fetch/all/alice
  curl -s ${url}/fetch/interactions/bob

Change spec.worker.replicas in the file to scale; Ctrl-C drains and stops.
`);
}
