import { type ChildProcess, fork, spawn } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { createInterface } from 'node:readline';
import { processRssBytes } from '../../bench/proc.ts';
import { writeResource } from '../crash/resource.ts';
import type { PhaseOrder } from './child/open-loop.ts';
import type { Phase } from './child/phase-tally.ts';
import type { SlowPlatformOrders } from './child/platform.ts';
import type { Slowness } from './child/slow-stores.ts';

export interface OverloadOptions {
  /** Writes per second that the stores can take, more or less. */
  readonly capacity: number;
  /** Arrivals in the overload, in multiples of that. */
  readonly times: number;
  /** Length of the overload. */
  readonly seconds: number;
  readonly progress: (line: string) => void;
}

/** What came of it. */
export interface OverloadResult {
  /** Before, during and after the overload. */
  readonly phases: readonly Phase[];
  /** Memory in RAM in bytes, when it began, at most, and at the end; undefined where there is no /proc. */
  readonly rss: { readonly before: number; readonly peak: number; readonly after: number } | undefined;
}

const ENTRIES = path.join(import.meta.dirname, 'child');
const READY_MS = 60_000;
const GRACE_MS = 60_000;
const SAMPLE_MS = 200;
/** Load before and after, as a share of what the stores can take. */
const NORMAL_SHARE = 0.25;
const BEFORE_S = 2;
const AFTER_S = 5;
const CALL_MS = 5;
/** As it is where a resource does not say otherwise. */
const DEADLINE = '2s';

/** Loads a platform on slow stores far beyond what they can take, then leaves it in peace again. */
export async function runOverload(options: OverloadOptions): Promise<OverloadResult> {
  const folder = await mkdtemp(path.join(tmpdir(), 'mini-platform-overload-'));
  const file = path.join(folder, 'platform.yaml');
  writeResource(file, DEADLINE);
  const slowness: Slowness = { callMs: CALL_MS, documentMs: 1_000 / options.capacity };
  const platform = startPlatform({ file, stateDir: path.join(folder, 'state'), slowness });
  try {
    const url = await readyUrl(platform);
    options.progress(
      `${options.times} times ${options.capacity} writes/s for ${options.seconds} s, to ${url}`,
    );
    return await loadPlatform(options, platform, url);
  } finally {
    platform.kill('SIGKILL');
    await rm(folder, { recursive: true, force: true, maxRetries: 5 });
  }
}

async function loadPlatform(
  { capacity, times, seconds }: OverloadOptions,
  platform: ChildProcess,
  url: string,
): Promise<OverloadResult> {
  const normal = capacity * NORMAL_SHARE;
  const memory = new MemorySamples(platform.pid ?? 0);
  const phases = await generate(url, [
    { name: 'before', rate: normal, seconds: BEFORE_S },
    { name: 'overload', rate: capacity * times, seconds },
    { name: 'after', rate: normal, seconds: AFTER_S },
  ]);
  return { phases, rss: await memory.stop() };
}

/** Runs the generator in a process of its own. */
function generate(url: string, phases: readonly PhaseOrder[]): Promise<readonly Phase[]> {
  const duration = phases.reduce((sum, { seconds }) => sum + seconds * 1_000, 0);
  return new Promise((resolve, reject) => {
    const generator = fork(path.join(ENTRIES, 'generator-entry.mjs'), [JSON.stringify({ url, phases })], {
      execArgv: [],
      timeout: duration + GRACE_MS,
    });
    generator.once('message', (message) => resolve(message as readonly Phase[]));
    generator.once('error', reject);
    generator.once('exit', (code) => reject(new Error(`the generator ended with ${code ?? 'a signal'}`)));
  });
}

function startPlatform(orders: SlowPlatformOrders): ChildProcess {
  return spawn(process.execPath, [path.join(ENTRIES, 'platform-entry.mjs'), JSON.stringify(orders)], {
    // With a channel, so that it ends with this process.
    stdio: ['ignore', 'pipe', 'inherit', 'ipc'],
  });
}

function readyUrl(platform: ChildProcess): Promise<string> {
  const { stdout } = platform;
  if (stdout === null) throw new Error('the platform has no output to read');
  return new Promise((resolve, reject) => {
    const late = setTimeout(
      () => reject(new Error(`the platform was not ready within ${READY_MS} ms`)),
      READY_MS,
    );
    platform.once('exit', (code) => reject(new Error(`the platform ended with ${code ?? 'a signal'}`)));
    createInterface(stdout).on('line', (line) => {
      const url = /^Ready in .*?(http:\/\/[\d.]+:\d+)/.exec(line)?.[1];
      if (url === undefined) return;
      clearTimeout(late);
      resolve(url);
    });
  });
}

/** Looks at the memory of a process now and then. */
class MemorySamples {
  readonly #pid: number;
  readonly #samples: number[] = [];
  readonly #timer: NodeJS.Timeout;

  constructor(pid: number) {
    this.#pid = pid;
    this.#timer = setInterval(() => void this.#sample(), SAMPLE_MS);
  }

  async stop(): Promise<OverloadResult['rss']> {
    clearInterval(this.#timer);
    await this.#sample();
    const [before] = this.#samples;
    const after = this.#samples.at(-1);
    if (before === undefined || after === undefined) return undefined;
    return { before, after, peak: Math.max(...this.#samples) };
  }

  async #sample(): Promise<void> {
    const bytes = await processRssBytes(this.#pid);
    if (bytes !== undefined) this.#samples.push(bytes);
  }
}
