import { readFileSync, unwatchFile, watchFile } from 'node:fs';
import { formatFault, loadMiniPlatform } from '../../resource/load.ts';
import type { MiniPlatform } from '../../resource/generated/mini-platform.ts';
import { CommandError } from '../command-error.ts';

/** A platform as it was read, or everything that is wrong with the file, a line each. */
export type FileContent =
  | { readonly ok: true; readonly resource: MiniPlatform }
  | { readonly ok: false; readonly messages: readonly string[] };

const POLL_MS = 250;

/** Reads a platform from its file. */
export function readResource(file: string): FileContent {
  let text: string;
  try {
    text = readFileSync(file, 'utf8');
  } catch (error) {
    return { ok: false, messages: [`${file}: ${describe(error)}`] };
  }
  const loaded = loadMiniPlatform(text, file);
  return loaded.ok
    ? { ok: true, resource: loaded.resource }
    : { ok: false, messages: loaded.faults.map((fault) => formatFault(fault)) };
}

/** Reads a platform from its file; throws a CommandError that names every fault. */
export function requireResource(file: string): MiniPlatform {
  const content = readResource(file);
  if (content.ok) return content.resource;
  throw new CommandError(
    `${content.messages.join('\n')}\nNothing was started: correct the file and try again.`,
  );
}

/**
 * Calls back when the file's content may have changed. It asks the file system four times a second: unlike
 * notifications, that works for every editor's way to save and on every file system.
 */
export function watchResource(file: string, onChange: () => void): () => void {
  const listener = (now: { readonly mtimeMs: number }, before: { readonly mtimeMs: number }): void => {
    if (now.mtimeMs !== before.mtimeMs) onChange();
  };
  watchFile(file, { interval: POLL_MS, persistent: false }, listener);
  return () => unwatchFile(file, listener);
}

function describe(error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT') return 'there is no such file';
  if (code === 'EISDIR') return 'this is a folder, not a file';
  if (code === 'EACCES') return 'the file may not be read';
  return error instanceof Error ? error.message : String(error);
}
