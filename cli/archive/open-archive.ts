import path from 'node:path';
import { archiveBucket } from '../../resource/names.ts';
import { EmbeddedObjectStore } from '../../runtime/adapters/embedded/object-store.ts';
import type { ArchiveBucket } from '../../runtime/archive/chain-end.ts';
import { PortError } from '../../runtime/ports/port-error.ts';
import { CommandError } from '../command-error.ts';
import { readResource } from '../up/resource-file.ts';

export interface ArchiveLocation {
  /** The MiniPlatform resource. */
  readonly file: string;
  /** Folder in which each platform has one of its own. */
  readonly stateDir: string;
}

/** The archive of the platform in a file. Throws a CommandError when there is none. */
export async function openArchive({ file, stateDir }: ArchiveLocation): Promise<ArchiveBucket> {
  const content = readResource(file);
  if (!content.ok) throw new CommandError(content.messages.join('\n'));
  const { resource } = content;
  if (resource.spec.s3.endpoint !== undefined) {
    throw new CommandError('spec.s3.endpoint: this command reads archives in embedded stores only.');
  }
  const folder = path.join(stateDir, resource.metadata.name);
  const bucket = archiveBucket(resource);
  const objects = EmbeddedObjectStore.openForReading(path.join(folder, 'objects'));
  try {
    await objects.list(bucket, { prefix: '', limit: 1 });
  } catch (error) {
    if (!(error instanceof PortError && error.kind === 'invalid')) throw asCommandError(error);
    throw new CommandError(
      `Platform ${resource.metadata.name} has no archive in ${folder} (bucket ${bucket}): start it once with ` +
        '"mini-platform up", or say with --state-dir where its stores are.',
      1,
      { cause: error },
    );
  }
  return { objects, bucket };
}

/** What the user can be told of an object store that failed; another error as it is. */
export function asCommandError(error: unknown): unknown {
  return error instanceof PortError
    ? new CommandError(`The archive cannot be read: ${error.message}`, 1, { cause: error })
    : error;
}
