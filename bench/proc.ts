import { readFile, writeFile } from 'node:fs/promises';

/** Clock ticks per second in /proc: USER_HZ, 100 on every architecture that Node runs on (man 5 proc). */
const TICKS_PER_SECOND = 100;
const KIB = 1024;

/** CPU time of a process and all its threads in seconds, in steps of 10 ms; undefined where there is no /proc. */
export async function processCpuSeconds(pid: number): Promise<number | undefined> {
  return read(`/proc/${pid}/stat`, parseCpuSeconds);
}

/** Memory of a process that is in RAM (VmRSS) in bytes; undefined where there is no /proc. */
export async function processRssBytes(pid: number): Promise<number | undefined> {
  return read(`/proc/${pid}/status`, parseRssBytes);
}

/** The most that VmRSS has been in bytes, since the process began or `resetPeakRss`; undefined where that is unknown. */
export async function peakRssBytes(pid: number): Promise<number | undefined> {
  return read(`/proc/${pid}/status`, parsePeakRssBytes);
}

/** Forgets what the memory of a process has been, so that `peakRssBytes` tells what it is from now on. */
export async function resetPeakRss(pid: number): Promise<void> {
  try {
    // Source: proc(5), /proc/pid/clear_refs.
    await writeFile(`/proc/${pid}/clear_refs`, '5');
  } catch {
    // No /proc on this system, so there is no peak either.
  }
}

/** Takes utime and stime, fields 14 and 15, from the text of /proc/PID/stat. */
export function parseCpuSeconds(stat: string): number | undefined {
  // Field 2, the name, is in parentheses and may have spaces and parentheses of its own.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = Number(fields[11]) + Number(fields[12]);
  return Number.isFinite(ticks) ? ticks / TICKS_PER_SECOND : undefined;
}

/** Takes VmRSS from the text of /proc/PID/status. */
export function parseRssBytes(status: string): number | undefined {
  const [, kib] = /^VmRSS:\s+(\d+) kB$/m.exec(status) ?? [];
  return kib === undefined ? undefined : Number(kib) * KIB;
}

/** Takes VmHWM from the text of /proc/PID/status. */
export function parsePeakRssBytes(status: string): number | undefined {
  const [, kib] = /^VmHWM:\s+(\d+) kB$/m.exec(status) ?? [];
  return kib === undefined ? undefined : Number(kib) * KIB;
}

async function read(file: string, parse: (text: string) => number | undefined): Promise<number | undefined> {
  try {
    return parse(await readFile(file, 'utf8'));
  } catch {
    // No /proc on this system, or the process has ended: unknown, which is not zero.
    return undefined;
  }
}
