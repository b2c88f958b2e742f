import { Command, CommanderError, InvalidArgumentError, Option } from 'commander';
import { LOG_LEVELS } from '../runtime/logging.ts';
import { readVersion } from '../runtime/version.ts';
import { addArchive } from './archive/command.ts';
import { addCheck } from './check/command.ts';
import { CommandError } from './command-error.ts';
import { addRun } from './run/command.ts';
import type { UpFlags } from './up/flags.ts';

const DEFAULT_FILE = 'examples/bank.yaml';

/** Runs the command line; sets the exit code and never rejects. */
export async function runCommand(argv: readonly string[]): Promise<void> {
  process.stdout.on('error', endWithReader);
  try {
    await createProgram().parseAsync([...argv]);
  } catch (error) {
    if (error instanceof CommanderError) {
      // Commander has printed what is wrong, or the help that was asked for.
      process.exitCode = error.exitCode === 0 ? 0 : 2;
    } else if (error instanceof CommandError) {
      process.stderr.write(`${error.message}\n`);
      process.exitCode = error.exitCode;
    } else {
      process.stderr.write(
        `mini-platform failed: ${error instanceof Error ? (error.stack ?? error.message) : String(error)}\n`,
      );
      process.exitCode = 70;
    }
  }
}

/** Who reads the output (`head`, say) has seen enough. */
function endWithReader(error: Error & { readonly code?: string }): void {
  if (error.code === 'EPIPE') process.exit();
  throw error;
}

function createProgram(): Command {
  const program = new Command('mini-platform')
    .description('Runs a MiniPlatform: dispatchers, workers and the stores they need.')
    .version(readVersion())
    .exitOverride()
    .showHelpAfterError('Run with --help to see what is possible.');
  program
    .command('up')
    .description(
      'Run a platform on this machine, in one process; where it names no services, with embedded stores',
    )
    .argument('[file]', 'the MiniPlatform resource, YAML', DEFAULT_FILE)
    .option(
      '--port <port>',
      'port of the HTTP API, on loopback; 0 lets the system choose (default: spec.dispatcher.service.port, 8080)',
      parsePort,
    )
    .option('--metrics-port <port>', 'port of /metrics, /healthz and /readyz, on loopback', parsePort, 9464)
    .option(
      '--admin-port <port>',
      'port of the routes for parked writes, for administrators, on loopback',
      parsePort,
      9465,
    )
    .option(
      '--state-dir <dir>',
      'where the stores keep their files, in a folder named like the platform',
      '.mini-platform',
    )
    .option(
      '--secrets-dir <dir>',
      'where the Secrets are that the resource names for services, each value in a file <secret>/<key>',
      'secrets',
    )
    .addOption(
      new Option('--log-format <format>', 'how logs look on standard error; auto is pretty on a terminal')
        .choices(['auto', 'pretty', 'json'])
        .default('auto'),
    )
    .addOption(
      new Option('--log-level <level>', 'least important logs to print; auto is warn if pretty, info if json')
        .choices(['auto', ...LOG_LEVELS])
        .default('auto'),
    )
    .addHelpText('after', UP_HELP)
    .action(async (file: string, flags: UpFlags) => {
      const { up } = await import('./up/up.ts');
      await up(file, flags);
    });
  addRun(program);
  addCheck(program, DEFAULT_FILE);
  addArchive(program, DEFAULT_FILE);
  return program;
}

const UP_HELP = `
While it runs:
  Save the file with another spec.worker.replicas: workers join or drain, and no request is lost.
  Save it with a mistake: the mistake is reported with its line, and the last good state stays.
  Ctrl-C drains and stops; a second Ctrl-C stops at once.

Examples:
  npm start
  npm start -- --port 9000
  npx mini-platform up examples/bank.yaml --state-dir /var/lib/mini-platform --log-format json`;

function parsePort(text: string): number {
  if (!/^\d{1,5}$/.test(text) || Number(text) > 65_535) {
    throw new InvalidArgumentError('a port is a whole number from 0 to 65535.');
  }
  return Number(text);
}
