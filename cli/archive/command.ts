import { type Command, InvalidArgumentError } from 'commander';
import { parseTime } from './time.ts';

interface PlaceFlags {
  readonly stateDir: string;
  readonly secretsDir: string;
}

interface CatFlags extends PlaceFlags {
  readonly from?: number;
  readonly to?: number;
  readonly id?: string;
}

/** Adds `archive verify` and `archive cat` to the command line; `defaultFile` is the resource when none is named. */
export function addArchive(program: Command, defaultFile: string): void {
  const archive = program.command('archive').description('Check and print what the archiver has stored');
  const add = (name: string, description: string): Command =>
    archive
      .command(name)
      .description(description)
      .argument('[file]', 'the MiniPlatform resource, YAML', defaultFile)
      .option(
        '--state-dir <dir>',
        'where the embedded stores are, as for up; the platform may be running',
        '.mini-platform',
      )
      .option(
        '--secrets-dir <dir>',
        'where the Secrets are that the resource names for S3, as for up; needs s3:ListBucket and s3:GetObject',
        'secrets',
      );
  add('verify', 'Read the whole archive and report every gap, overlap and damaged object')
    .option('--json', 'print one JSON object per line: findings, partitions, and a summary at the end')
    .addHelpText('after', VERIFY_HELP)
    .action(async (file: string, { json = false, ...places }: PlaceFlags & { readonly json?: boolean }) => {
      const { verify } = await import('./verify.ts');
      await verify({ file, ...places, json });
    });
  add('cat', 'Print archived records as JSON, one line each')
    .option('--from <time>', 'records from this time on', parseWhen)
    .option('--to <time>', 'records before this time', parseWhen)
    .option('--id <id>', 'records of the event with this id only')
    .addHelpText('after', CAT_HELP)
    .action(async (file: string, { stateDir, secretsDir, ...filter }: CatFlags) => {
      const { cat } = await import('./cat.ts');
      await cat({ file, stateDir, secretsDir, filter });
    });
}

const VERIFY_HELP = `
Exits with 0 when the archive is whole, with 1 when something is wrong or there is no archive.
That the last objects of a partition are missing cannot be seen in the archive; when the archiver starts again, it
stores them again, as long as the log has their records.

Examples:
  npx mini-platform archive verify
  npx mini-platform archive verify examples/bank.yaml --json`;

const CAT_HELP = `
A time is ISO 8601 (2026-05-01T12:00:00Z; local time when no zone is named, midnight UTC when no time is), or how
long ago: 90s, 15m, 1h, 7d. It is the time at which the log took the record.
Partitions come one after the other, each in the order of its offsets. An event may come twice, with one id: readers
take the first. Exits with 1 when an object is damaged; what can be read of it is printed.

Examples:
  npx mini-platform archive cat --from 1h
  npx mini-platform archive cat --from 2026-05-01 --to 2026-05-02 | gzip > may-1.ndjson.gz
  npx mini-platform archive cat --id 01890a5d-ac96-774b-bcce-b302099a8057`;

function parseWhen(text: string): number {
  const time = parseTime(text, Date.now());
  if (time !== undefined) return time;
  throw new InvalidArgumentError(
    'a time is ISO 8601, such as 2026-05-01T12:00:00Z, or how long ago, such as 1h.',
  );
}
