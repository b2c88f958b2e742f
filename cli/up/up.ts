import path from 'node:path';
import type { MiniPlatform } from '../../resource/generated/mini-platform.ts';
import { systemClock } from '../../runtime/clock.ts';
import type { Domain } from '../../runtime/domain-kit/domain.ts';
import { DOMAINS } from '../../runtime/domains/registry.ts';
import { createLogger } from '../../runtime/logging.ts';
import { createMetrics, type Metrics } from '../../runtime/metrics.ts';
import { readVersion } from '../../runtime/version.ts';
import { CommandError } from '../command-error.ts';
import type { UpFlags } from './flags.ts';
import { followFile } from './live-edit.ts';
import { LocalPlatform } from './platform.ts';
import { type RoleConfigs, roleConfigs } from './role-configs.ts';
import { requireResource } from './resource-file.ts';
import { onStopSignals } from './signals.ts';
import { openStores, seedObjects, type StorePorts, type Stores } from './stores.ts';
import { Terminal } from './terminal.ts';

const SEED_ANNOTATION = 'mini-platform.io/seed';
const ABORTED = 130;

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
  readonly metrics: Metrics;
}

/** Runs a platform on this machine until it is told to stop. Throws a CommandError when it cannot start. */
export async function up(file: string, flags: UpFlags, seams: UpSeams = {}): Promise<void> {
  const terminal = new Terminal(process.stdout);
  const { resource, text } = requireResource(file);
  const domains = domainsOf(resource);
  refuseRealServices(resource);
  const onTerminal = process.stderr.isTTY;
  // No Secret is read: services that need one are refused above.
  const configs = roleConfigs({ resource, flags, secretsDir: 'secrets', onTerminal });
  const { format, level } = configs.dispatcher.log;
  const logger = createLogger(format, level);
  const metrics = createMetrics();
  const run = { file, flags, seams, configs, resource, text, terminal, metrics };
  const platform = new LocalPlatform({ configs, domains, version: readVersion(), logger, metrics });
  terminal.line(`${terminal.bold(resource.metadata.name)} (${file})`);
  const stopped = stopOnSignal(run, platform);
  try {
    const url = await start(run, platform);
    terminal.line();
    terminal.line(terminal.bold(`Ready in ${process.uptime().toFixed(1)} s: ${url}`));
    printExamples(terminal, url);
  } catch (error) {
    // Told to stop while it started: what fails then is of no interest.
    if (platform.isStopping) return stopped;
    await platform.stop();
    throw error;
  }
  await follow(run, platform, stopped);
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
  const { flags, seams, resource, terminal, metrics } = run;
  const metricsUrl = await platform.startMetrics();
  terminal.step('metrics', `${metricsUrl}/metrics`);
  const base = flags.stateDir;
  const stores = await openStores({
    base,
    name: resource.metadata.name,
    clock: systemClock,
    metrics,
    wrap: seams.wrapStores,
  });
  platform.useStores(stores);
  terminal.step('stores', `embedded, in ${path.relative('', stores.directory)}`);
  const url = await platform.startDispatcher();
  terminal.step('dispatcher', `${url}, API description at ${url}/docs`);
  terminal.step('admin', `${await platform.startAdmin()}/parked`);
  await seed(run, stores);
  terminal.step('fraud list', await feed(run, platform));
  terminal.step('archive', archive(run, platform));
  const { replicas, maxMembers } = resource.spec.worker;
  await platform.startWorkers(replicas);
  terminal.step('workers', `${platform.workers.joined} of ${replicas} joined`);
  if (replicas > maxMembers) {
    terminal.warn(
      `spec.worker.maxMembers is ${maxMembers}: the other workers are refused until it is raised.`,
    );
  }
  return url;
}

/** Puts into the object store what the resource's annotation names, and makes the bucket of the fraud list. */
async function seed({ file, resource }: Run, { objects }: Stores): Promise<void> {
  const folder = resource.metadata.annotations?.[SEED_ANNOTATION];
  if (folder !== undefined) await seedObjects(objects, path.resolve(path.dirname(file), folder));
  const { source } = resource.spec.feeder;
  if (source !== undefined) await objects.ensureBuckets([source.bucket]);
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

function archive({ configs }: Run, platform: LocalPlatform): string {
  if (!platform.startArchiver() || configs.archiver === undefined) return 'none: spec.archiver.replicas is 0';
  const { bucket, batchSize, maxAgeMs } = configs.archiver;
  return `objects/${bucket}, each ${batchSize} events or ${maxAgeMs / 1_000} s`;
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
  const known = DOMAINS.map(({ name }) => name);
  const unknown = spec.domains.filter((name) => !known.includes(name));
  if (unknown.length > 0) {
    throw new CommandError(`spec.domains names ${unknown.join(', ')}; this build has ${known.join(', ')}.`);
  }
  return DOMAINS.filter(({ name }) => spec.domains.includes(name));
}

/** Real services are not served by this version; running on embedded stores instead would be a surprise. */
function refuseRealServices({ spec }: MiniPlatform): void {
  const named = [
    spec.kafka.brokers === undefined ? [] : ['spec.kafka.brokers'],
    spec.mongodb.uriSecret === undefined ? [] : ['spec.mongodb.uriSecret'],
    spec.redis === undefined ? [] : ['spec.redis'],
    spec.s3.endpoint === undefined ? [] : ['spec.s3.endpoint'],
  ].flat();
  if (named.length === 0) return;
  throw new CommandError(`${named.join(', ')}: this version runs on embedded stores only; remove the field.`);
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
