import { existsSync } from 'node:fs';
import { readdir, readFile, readlink } from 'node:fs/promises';

/** What is left of a server whose data is, or was, in this folder: processes, mounts, the folder itself. */
export async function tracesOf(folder: string): Promise<readonly string[]> {
  const processes = await Promise.all((await pids()).map((pid) => processIn(pid, folder)));
  const mounts = (await readFile('/proc/self/mounts', 'utf8'))
    .split('\n')
    .filter((line) => line.includes(folder));
  const own = existsSync(folder) ? [folder] : [];
  return [...processes.flat(), ...mounts, ...own];
}

async function pids(): Promise<readonly string[]> {
  return (await readdir('/proc')).filter((name) => /^\d+$/.test(name));
}

/** Its command, when it works in the folder or names it. */
async function processIn(pid: string, folder: string): Promise<readonly string[]> {
  try {
    const command = (await readFile(`/proc/${pid}/cmdline`, 'utf8')).replaceAll('\0', ' ');
    const isIn = command.includes(folder) || (await readlink(`/proc/${pid}/cwd`)).startsWith(folder);
    return isIn ? [`${pid} ${command}`] : [];
  } catch {
    // It has ended in the meantime.
    return [];
  }
}
