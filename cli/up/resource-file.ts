import { readFileSync } from 'node:fs';
import { loadMiniPlatform } from '../../resource/load.ts';
import { formatFault } from '../../schema/documents.ts';
import type { MiniPlatform } from '../../resource/generated/mini-platform.ts';
import { CommandError } from '../command-error.ts';
import { readTextFile } from '../../schema/text-file.ts';

/** A platform as it was read, or everything that is wrong with the file, a line each. */
export type FileContent =
  | { readonly ok: true; readonly resource: MiniPlatform; readonly text: string }
  | { readonly ok: false; readonly messages: readonly string[] };

const POLL_MS = 250;

/** Reads a platform from its file. */
export function readResource(file: string): FileContent {
  const read = readTextFile(file);
  if (!read.ok) return { ok: false, messages: [`${file}: ${read.message}`] };
  const loaded = loadMiniPlatform(read.text, file);
  return loaded.ok
    ? { ok: true, resource: loaded.resource, text: read.text }
    : { ok: false, messages: loaded.faults.map((fault) => formatFault(fault)) };
}

/** Reads a platform from its file; throws a CommandError that names every fault. */
export function requireResource(file: string): { readonly resource: MiniPlatform; readonly text: string } {
  const content = readResource(file);
  if (content.ok) return content;
  throw new CommandError(
    `${content.messages.join('\n')}\nNothing was started: correct the file and try again.`,
  );
}

/**
 * Calls back when the file's text differs from the one known, and again whenever it changes. It reads the file four times a second: unlike
 * notifications, that works for every editor's way to save and on every file system.
 */
export function watchResource(file: string, knownText: string, onChange: () => void): () => void {
  let known: string | undefined = knownText;
  const timer = setInterval(() => {
    const text = textOf(file);
    if (text === known) return;
    known = text;
    onChange();
  }, POLL_MS);
  timer.unref();
  return () => clearInterval(timer);
}

/** The file's text; undefined while it cannot be read. */
function textOf(file: string): string | undefined {
  try {
    return readFileSync(file, 'utf8');
  } catch {
    // An editor may be about to put the new file in place; if it stays away, reading it says so.
    return undefined;
  }
}
