import type { Command } from 'commander';

/** Adds `check` to the command line; `defaultFile` is what it looks at when no file is named. */
export function addCheck(program: Command, defaultFile: string): void {
  program
    .command('check')
    .description('Validate MiniPlatforms and configurations of roles, without running anything')
    .argument('[files...]', 'YAML files, each with one document or several', [defaultFile])
    .option('--json', 'print a JSON object in place of lines')
    .addHelpText('after', HELP)
    .action(async (files: readonly string[], { json = false }: { readonly json?: boolean }) => {
      const { checkFiles } = await import('./check.ts');
      const { output, exitCode } = checkFiles(files, { json });
      process.stdout.write(output);
      process.exitCode = exitCode;
    });
}

const HELP = `
Prints each fault with its file, line and column, the field, what stands there and what is allowed.
Exits with 0 when all is valid, with 2 when something is wrong.

Examples:
  npx mini-platform check examples/bank.yaml
  npx mini-platform check dispatcher.yaml worker.yaml --json`;
