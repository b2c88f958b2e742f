import type { RoleConfig } from '../../runtime/config/role-config.ts';
import { loadConfig } from '../../runtime/config/role-config.ts';
import { formatFault } from '../../schema/documents.ts';
import { readTextFile } from '../../schema/text-file.ts';
import { CommandError } from '../command-error.ts';
import { MISCONFIGURED } from '../exit-codes.ts';

/** Reads the configuration of a role from its file; throws a CommandError that names every fault. */
export function readRoleConfig<T>(declared: RoleConfig<T>, file: string): T {
  const read = readTextFile(file);
  if (!read.ok) throw new CommandError(`${file}: ${read.message}`, MISCONFIGURED);
  const loaded = loadConfig(declared, read.text, file);
  if (loaded.ok) return loaded.config;
  const faults = loaded.faults.map((fault) => formatFault(fault));
  throw new CommandError(
    `${faults.join('\n')}\nNothing was started: correct the file and try again.`,
    MISCONFIGURED,
  );
}
