import { Argument, type Command } from 'commander';
import { ROLES, type RoleName } from './role-names.ts';

/** Adds `run` to the command line. */
export function addRun(program: Command): void {
  program
    .command('run')
    .description('Run one role of a platform, as a process of its own, on real services')
    .addArgument(new Argument('<role>', 'which role').choices(ROLES))
    .requiredOption('--config <file>', 'its configuration, YAML (docs/configuration.md)')
    .addHelpText('after', RUN_HELP)
    .action(async (role: RoleName, flags: { readonly config: string }) => {
      const { run } = await import('./run.ts');
      await run(role, flags.config);
    });
}

const RUN_HELP = `
Stores are services that the file names; "mini-platform up" has embedded ones. A service that is away is waited for:
the log and /readyz say so. SIGTERM or SIGINT drains and stops; a second one stops at once.

Exits with 0 when it was told to stop, with 78 when the configuration, or a service as it is configured, has to be
mended first, with 1 when a port is taken, with 130 when it was stopped at once.

Examples:
  npx mini-platform run dispatcher --config dispatcher.yaml
  npx mini-platform run worker --config worker.yaml`;
