import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { type CrashOptions, parseCommandLine, USAGE } from './command-line.ts';
import { runCrashes } from './run.ts';
import { faultsOfRun, summaryOf } from './summary.ts';

const MAX_DRAWN_SEED = 1_000_000;
const INTERRUPTED = 130;

const command = parseCommandLine(process.argv.slice(2), () => Math.floor(Math.random() * MAX_DRAWN_SEED));
if (command.kind === 'help') {
  process.stdout.write(USAGE);
} else if (command.kind === 'fault') {
  process.stderr.write(`${command.message}\n\n${USAGE}`);
  process.exitCode = 2;
} else {
  await run(command.options);
}

async function run({ kills, seed, sabotage, json }: CrashOptions): Promise<void> {
  // Exit handlers end the platform.
  process.once('SIGINT', () => process.exit(INTERRUPTED));
  const directory = mkdtempSync(path.join(tmpdir(), 'mini-platform-crash-'));
  const progress = (line: string): void => void process.stderr.write(`${line}\n`);
  const lie = sabotage === undefined ? '' : ` --sabotage ${sabotage.kind}`;
  const again = `npm run crash -- --kills ${kills} --seed ${seed}${lie}`;
  progress(`${again} (state in ${directory})`);
  const result = await runCrashes({ seed, kills, directory, sabotage, progress }).catch((error: unknown) => {
    progress(`The suite itself failed; the state is kept in ${directory}. Again: ${again}`);
    throw error;
  });
  process.stdout.write(json ? `${JSON.stringify(result)}\n` : `\n${summaryOf(result, again)}`);
  if (json) process.stderr.write(summaryOf(result, again));
  if (result.violations.length > 0 || faultsOfRun(result).length > 0) process.exitCode = 1;
  else rmSync(directory, { recursive: true, force: true });
}
