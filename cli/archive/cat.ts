import { readArchive, type RecordFilter } from '../../runtime/archive/reader.ts';
import { CommandError } from '../command-error.ts';
import { type ArchiveLocation, asCommandError, openArchive } from './open-archive.ts';
import { Output } from './output.ts';

export interface CatOptions extends ArchiveLocation {
  readonly filter: RecordFilter;
}

/** Prints the records that are wanted; tells of damage on standard error, and then ends with exit code 1. */
export async function cat({ filter, ...location }: CatOptions): Promise<void> {
  const { from = -Infinity, to = Infinity } = filter;
  if (from >= to) throw new CommandError('--from must be before --to: no record is in that time.', 2);
  const archive = await openArchive(location);
  const output = new Output(process.stdout);
  try {
    for await (const found of readArchive(archive, filter)) {
      if (found.kind === 'damage') {
        process.stderr.write(`${found.key}: ${found.message}\n`);
        process.exitCode = 1;
        continue;
      }
      const { topic, generation, partition } = found.chain;
      const place = JSON.stringify({ topic, generation, partition });
      // A line of the archive is an object with at least an offset.
      await output.line(`${place.slice(0, -1)},${found.line.slice(1)}`);
    }
    await output.flush();
  } catch (error) {
    throw asCommandError(error);
  } finally {
    await archive.close();
  }
}
