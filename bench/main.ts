import type { Bench, BenchContext } from './bench.ts';
import { type Command, parseCommandLine, usage } from './command-line.ts';
import { toJsonLines, toTable } from './figures.ts';
import { findLoadGenerator } from './load-generator.ts';
import { BENCHES } from './registry.ts';

const INTERRUPTED = { SIGINT: 130, SIGTERM: 143 } as const;

const command = parseCommandLine(process.argv.slice(2), BENCHES);
if (command.kind === 'help') {
  process.stdout.write(usage(BENCHES));
} else if (command.kind === 'fault') {
  process.stderr.write(`${command.message}\n\n${usage(BENCHES)}`);
  process.exitCode = 2;
} else {
  await run(command);
}

async function run({ benches, json, options }: Extract<Command, { kind: 'run' }>): Promise<void> {
  // Exit handlers end the servers and remove their directories.
  for (const signal of ['SIGINT', 'SIGTERM'] as const) {
    process.once(signal, () => process.exit(INTERRUPTED[signal]));
  }
  const context = { options, generator: findLoadGenerator(), progress: report };
  for (const bench of benches) {
    if (!(await runOne(bench, context, json))) process.exitCode = 1;
  }
}

/** Runs a benchmark and prints what came out; returns whether all went well. */
async function runOne(bench: Bench, context: BenchContext, json: boolean): Promise<boolean> {
  try {
    const { figures, notes, failures } = await bench.run(context);
    process.stdout.write(json ? toJsonLines(figures) : `\n${toTable(figures)}`);
    (json ? process.stderr : process.stdout).write(notes.map((note) => `${note}\n`).join(''));
    for (const failure of failures) report(failure);
    return failures.length === 0;
  } catch (error) {
    report(`The benchmark ${bench.name} failed: ${error instanceof Error ? error.message : String(error)}`);
    return false;
  }
}

function report(line: string): void {
  process.stderr.write(`${line}\n`);
}
