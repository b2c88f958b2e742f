import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { ServiceUnavailable } from '../services/tools.ts';
import { type FaultsOptions, parseCommandLine, USAGE } from './command-line.ts';
import { runFaultSuite } from './run.ts';
import { summaryOf } from './summary.ts';

const MAX_DRAWN_SEED = 1_000_000;
const INTERRUPTED = 130;
const NO_SERVICE = 3;

const command = parseCommandLine(process.argv.slice(2), () => Math.floor(Math.random() * MAX_DRAWN_SEED));
if (command.kind === 'help') {
  process.stdout.write(USAGE);
} else if (command.kind === 'fault') {
  process.stderr.write(`${command.message}\n\n${USAGE}`);
  process.exitCode = 2;
} else {
  await run(command.options);
}

async function run(options: FaultsOptions): Promise<void> {
  // Everything that it has started ends with it.
  process.once('SIGINT', () => process.exit(INTERRUPTED));
  const directory = mkdtempSync(path.join(tmpdir(), 'mini-platform-faults-'));
  const progress = (line: string): void => void process.stderr.write(`${line}\n`);
  const again = commandOf(options);
  progress(again);
  try {
    const result = await runFaultSuite({ ...options, directory, progress });
    const summary = summaryOf(result, again);
    process.stdout.write(options.json ? `${JSON.stringify(result)}\n` : `\n${summary}`);
    if (options.json) process.stderr.write(`\n${summary}`);
    if (result.violations.length > 0) process.exitCode = 1;
    else if (options.keep) progress(`The journal and the logs are kept in ${directory}`);
    else rmSync(directory, { recursive: true, force: true });
  } catch (error) {
    if (!(error instanceof ServiceUnavailable)) {
      progress(`The suite itself failed; journal and logs are kept in ${directory}. Again: ${again}`);
      throw error;
    }
    progress(`The suite needs Kafka, MongoDB, Redis and S3: ${error.message}`);
    rmSync(directory, { recursive: true, force: true });
    process.exitCode = NO_SERVICE;
  }
}

function commandOf({ rounds, seed, only, sabotage }: FaultsOptions): string {
  const some = only === undefined ? '' : ` --only ${only.join(',')}`;
  const lie = sabotage === undefined ? '' : ` --sabotage ${sabotage}`;
  return `npm run faults -- --rounds ${rounds} --seed ${seed}${some}${lie}`;
}
