import path from 'node:path';
import type { MiniPlatform } from '../../resource/generated/mini-platform.ts';
import { systemClock } from '../../runtime/clock.ts';
import type { Domain } from '../../runtime/domain-kit/domain.ts';
import { FRAUD_SET } from '../../runtime/domains/bank/fraud.ts';
import { DOMAINS } from '../../runtime/domains/registry.ts';
import { createLogger, type Logger } from '../../runtime/logging.ts';
import { createMetrics, type Metrics } from '../../runtime/metrics.ts';
import { loadFraudList } from '../../runtime/roles/feeder/load-fraud-list.ts';
import { readVersion } from '../../runtime/version.ts';
import { CommandError } from '../command-error.ts';
import type { UpFlags } from './flags.ts';
import { followFile } from './live-edit.ts';
import { LocalPlatform } from './platform.ts';
import { requireResource } from './resource-file.ts';
import { onStopSignals } from './signals.ts';
import { openStores, seedObjects, type Stores } from './stores.ts';
import { Terminal } from './terminal.ts';

const SEED_ANNOTATION = 'mini-platform.io/seed';
const ABORTED = 130;

interface Run {
  readonly file: string;
  readonly flags: UpFlags;
  readonly resource: MiniPlatform;
  readonly text: string;
  readonly terminal: Terminal;
  readonly logger: Logger;
  readonly metrics: Metrics;
}

/** Runs a platform on this machine until it is told to stop. Throws a CommandError when it cannot start. */
export async function up(file: string, flags: UpFlags): Promise<void> {
  const terminal = new Terminal(process.stdout);
  const { resource, text } = requireResource(file);
  const domains = domainsOf(resource);
  refuseRealServices(resource);
  const logger = loggerFor(flags);
  const metrics = createMetrics();
  const run = { file, flags, resource, text, terminal, logger, metrics };
  const { port, metricsPort } = flags;
  const platform = new LocalPlatform({
    resource,
    domains,
    port,
    metricsPort,
    version: readVersion(),
    logger,
    metrics,
  });
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
  const { flags, resource, terminal, metrics } = run;
  const metricsUrl = await platform.startMetrics();
  terminal.step('metrics', `${metricsUrl}/metrics`);
  const base = flags.stateDir;
  const stores = await openStores({ base, name: resource.metadata.name, clock: systemClock, metrics });
  platform.useStores(stores);
  terminal.step('stores', `embedded, in ${path.relative('', stores.directory)}`);
  const url = await platform.startDispatcher();
  terminal.step('dispatcher', `${url}, API description at ${url}/docs`);
  terminal.step('fraud list', await feed(run, stores));
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

/** Seeds the object store, if the resource says with what, and loads the fraud list. */
async function feed({ file, resource, metrics }: Run, { objects, cache }: Stores): Promise<string> {
  const seed = resource.metadata.annotations?.[SEED_ANNOTATION];
  if (seed !== undefined) await seedObjects(objects, path.resolve(path.dirname(file), seed));
  const { source } = resource.spec.feeder;
  if (source === undefined)
    return 'none: spec.feeder.source is not set, so receivers and withdrawals are refused';
  await objects.ensureBuckets([source.bucket]);
  const result = await loadFraudList({ objects, cache, source, set: FRAUD_SET });
  if (result.outcome === 'absent') {
    return `${source.bucket}/${source.key} does not exist, so receivers and withdrawals are refused`;
  }
  metrics.fraudListNames.set(result.names);
  return `${result.names} names from ${source.bucket}/${source.key}`;
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

/** On a terminal the command's own lines tell what happens, so logs are for what goes wrong. */
function loggerFor({ logFormat, logLevel }: UpFlags): Logger {
  const onTerminal = process.stderr.isTTY ? 'pretty' : 'json';
  const format = logFormat === 'auto' ? onTerminal : logFormat;
  const usual = format === 'pretty' ? 'warn' : 'info';
  return createLogger(format, logLevel === 'auto' ? usual : logLevel);
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
