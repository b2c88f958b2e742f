import type { ChainReport } from '../../runtime/archive/chain-check.ts';
import type { Finding } from '../../runtime/archive/finding.ts';
import { verifyArchive, type VerifyEvent } from '../../runtime/archive/verify.ts';
import { type ArchiveLocation, asCommandError, openArchive } from './open-archive.ts';
import { Output } from './output.ts';

export interface VerifyOptions extends ArchiveLocation {
  readonly json: boolean;
}

/** What was looked at so far. */
interface Totals {
  readonly bucket: string;
  partitions: number;
  objects: number;
  records: number;
  findings: number;
}

const PROGRESS_EVERY_MS = 2_000;

/** Checks the whole archive and prints what it finds, as it goes; ends with exit code 1 unless all is well. */
export async function verify({ json, ...location }: VerifyOptions): Promise<void> {
  const archive = await openArchive(location);
  const output = new Output(process.stdout);
  const format = json ? JSON_LINES : TEXT;
  const totals: Totals = { bucket: archive.bucket, partitions: 0, objects: 0, records: 0, findings: 0 };
  const progress = progressEvery(PROGRESS_EVERY_MS);
  // Until the end is reached nothing is known to be whole; a reader that leaves before (EPIPE) ends the command.
  process.exitCode = 1;
  try {
    for await (const event of verifyArchive(archive)) {
      count(event, totals);
      progress(totals);
      if (event.type === 'finding') await output.line(format.finding(event));
      if (event.type === 'partition') await output.line(format.partition(event));
      // Told as it is found: the rest may take long.
      if (event.type !== 'object') await output.flush();
    }
    await output.line(format.summary(totals));
    await output.flush();
  } catch (error) {
    throw asCommandError(error);
  } finally {
    await archive.close();
  }
  process.exitCode = totals.findings > 0 ? 1 : 0;
}

function count(event: VerifyEvent, totals: Totals): void {
  switch (event.type) {
    case 'finding':
      totals.findings += 1;
      break;
    case 'partition':
      totals.partitions += 1;
      break;
    case 'object':
      totals.objects += 1;
      totals.records += event.records;
      break;
  }
}

/** Tells on standard error how far it is, from time to time. */
function progressEvery(periodMs: number): (totals: Totals) => void {
  let next = performance.now() + periodMs;
  return ({ objects, records }) => {
    if (performance.now() < next) return;
    next = performance.now() + periodMs;
    process.stderr.write(`${counted(objects, 'object')}, ${counted(records, 'record')} so far ...\n`);
  };
}

interface Format {
  readonly finding: (finding: Finding) => string;
  readonly partition: (report: ChainReport) => string;
  readonly summary: (totals: Totals) => string;
}

const TEXT: Format = {
  finding: ({ kind, key, message }) => `${kind}: ${key}: ${message}`,
  partition: ({ chain, objects, records, first, last, findings }) => {
    const range = first === undefined || last === undefined ? 'no offsets' : `offsets ${first} to ${last}`;
    const wrong = findings === 0 ? '' : `, ${counted(findings, 'finding')}`;
    const place = `${chain.topic}/${chain.generation}/${chain.partition}`;
    return `${place}: ${counted(objects, 'object')}, ${counted(records, 'record')}, ${range}${wrong}`;
  },
  summary: ({ bucket, partitions, objects, records, findings }) => {
    const held = `${counted(records, 'record')} in ${counted(objects, 'object')}`;
    const all = `${held} of ${counted(partitions, 'partition')}`;
    if (findings > 0) return `The archive ${bucket} is not whole: ${counted(findings, 'finding')}; ${all}.`;
    return objects === 0 ? `The archive ${bucket} is empty.` : `The archive ${bucket} is whole: ${all}.`;
  },
};

const JSON_LINES: Format = {
  finding: ({ kind, key, message }) => JSON.stringify({ type: 'finding', kind, key, message }),
  partition: ({ chain: { topic, generation, partition }, objects, records, first, last, findings }) =>
    JSON.stringify({
      type: 'partition',
      topic,
      generation,
      partition,
      objects,
      records,
      first: offset(first),
      last: offset(last),
      findings,
    }),
  summary: (totals) => JSON.stringify({ type: 'summary', ...totals }),
};

/** An offset for JSON: null when there is none, a text where a number would not be exact. */
function offset(value: bigint | undefined): number | string | null {
  if (value === undefined) return null;
  return value <= BigInt(Number.MAX_SAFE_INTEGER) ? Number(value) : value.toString();
}

function counted(count: number, noun: string): string {
  return `${count.toLocaleString('en-US')} ${noun}${count === 1 ? '' : 's'}`;
}
