import { readdir, readFile, writeFile } from 'node:fs/promises';

/** Clock ticks per second in /proc: USER_HZ, 100 on every architecture that Node runs on (man 5 proc). */
const TICKS_PER_SECOND = 100;
const KIB = 1024;

/** CPU time of a process and all its threads in seconds, in steps of 10 ms; undefined where there is no /proc. */
export async function processCpuSeconds(pid: number): Promise<number | undefined> {
  return read(`/proc/${pid}/stat`, parseCpuSeconds);
}

/**
 * CPU time of a process, its living descendants and those that they have waited for, in seconds; undefined where there is
 * no /proc. For servers that are made of several processes.
 */
export async function treeCpuSeconds(root: number): Promise<number | undefined> {
  const names = await entriesOfProc();
  const stats = await Promise.all(
    names.map(async (pid) => ({ pid, stat: await read(`/proc/${pid}/stat`, parseFamily) })),
  );
  const known = new Map(stats.flatMap(({ pid, stat }) => (stat === undefined ? [] : [[pid, stat] as const])));
  if (!known.has(root)) return undefined;
  const family = [root];
  for (const member of family) {
    for (const [pid, { parent }] of known) if (parent === member) family.push(pid);
  }
  return family.reduce((total, pid) => total + (known.get(pid)?.cpuSeconds ?? 0), 0);
}

async function entriesOfProc(): Promise<readonly number[]> {
  try {
    return (await readdir('/proc')).map(Number).filter((pid) => Number.isInteger(pid));
  } catch {
    // No /proc on this system.
    return [];
  }
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

/** Takes the parent (field 4) and the CPU time with that of children waited for (14 to 17) from /proc/PID/stat. */
export function parseFamily(
  stat: string,
): { readonly parent: number; readonly cpuSeconds: number } | undefined {
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  const ticks = fields.slice(11, 15).reduce((total, field) => total + Number(field), 0);
  const parent = Number(fields[1]);
  return fields.length < 15 || !Number.isFinite(ticks) || !Number.isInteger(parent)
    ? undefined
    : { parent, cpuSeconds: ticks / TICKS_PER_SECOND };
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

async function read<T>(file: string, parse: (text: string) => T | undefined): Promise<T | undefined> {
  try {
    return parse(await readFile(file, 'utf8'));
  } catch {
    // No /proc on this system, or the process has ended: unknown, which is not zero.
    return undefined;
  }
}
