import path from 'node:path';
import { Registry } from 'prom-client';
import type { MiniPlatform } from '../../resource/generated/mini-platform.ts';
import { archiveBucket } from '../../resource/names.ts';
import { EmbeddedObjectStore } from '../../runtime/adapters/embedded/object-store.ts';
import type { ArchiveBucket } from '../../runtime/archive/chain-end.ts';
import { systemClock } from '../../runtime/clock.ts';
import { openServices } from '../../runtime/compose/services.ts';
import { SetupError } from '../../runtime/compose/setup-error.ts';
import { compileConfig, roleConfig } from '../../runtime/config/role-config.ts';
import { stores } from '../../runtime/config/stores.ts';
import { createLogger } from '../../runtime/logging.ts';
import { PortError } from '../../runtime/ports/port-error.ts';
import { serviceMetrics } from '../../runtime/service-metrics.ts';
import { API_VERSION } from '../../schema/api-version.ts';
import { CommandError } from '../command-error.ts';
import { readResource } from '../up/resource-file.ts';
import { storeConfigs } from '../up/store-configs.ts';

export interface ArchiveLocation {
  /** The MiniPlatform resource. */
  readonly file: string;
  /** Folder in which each platform has one of its own. */
  readonly stateDir: string;
  /** Folder with the Secrets that the resource names, as `<secret>/<key>`. */
  readonly secretsDir: string;
}

/** An archive that is read. */
export interface OpenArchive extends ArchiveBucket {
  close(): Promise<void>;
}

/** The archive of the platform in a file. Throws a CommandError when there is none, or it cannot be reached. */
export async function openArchive({ file, stateDir, secretsDir }: ArchiveLocation): Promise<OpenArchive> {
  const content = readResource(file);
  if (!content.ok) throw new CommandError(content.messages.join('\n'));
  const { resource } = content;
  const { endpoint } = resource.spec.s3;
  const archive =
    endpoint === undefined ? openEmbedded(resource, stateDir) : await openS3(resource, secretsDir);
  const { objects, bucket } = archive;
  try {
    await objects.list(bucket, { prefix: '', limit: 1 });
    return archive;
  } catch (error) {
    await archive.close();
    if (!(error instanceof PortError && error.kind === 'invalid')) throw asCommandError(error);
    const { name } = resource.metadata;
    const [place, remedy] =
      endpoint === undefined
        ? [path.join(stateDir, name), 'say with --state-dir where its stores are']
        : [endpoint, 'correct spec.s3'];
    throw new CommandError(
      `Platform ${name} has no archive in ${place} (bucket ${bucket}): start it once with ` +
        `"mini-platform up", or ${remedy}.`,
      1,
      { cause: error },
    );
  }
}

/** What the user can be told of an object store that failed; another error as it is. */
export function asCommandError(error: unknown): unknown {
  return error instanceof PortError || error instanceof SetupError
    ? new CommandError(`The archive cannot be read: ${error.message}`, 1, { cause: error })
    : error;
}

function openEmbedded(resource: MiniPlatform, stateDir: string): OpenArchive {
  const folder = path.join(stateDir, resource.metadata.name, 'objects');
  const objects = EmbeddedObjectStore.openForReading(folder);
  return { objects, bucket: archiveBucket(resource), close: () => Promise.resolve() };
}

const ARCHIVE_CONFIG = roleConfig(
  { kind: 'Archive', description: 'Where an archive is.' },
  { stores: stores('objectStore') },
);

async function openS3(resource: MiniPlatform, secretsDir: string): Promise<OpenArchive> {
  const { objectStore } = storeConfigs(resource, secretsDir);
  const fields = { apiVersion: API_VERSION, kind: ARCHIVE_CONFIG.kind, stores: { objectStore } };
  const compiled = compileConfig(ARCHIVE_CONFIG, fields);
  if (!compiled.ok)
    throw new Error(`a valid resource has no valid object store: ${JSON.stringify(compiled)}`);
  try {
    const services = await openServices(compiled.config.stores, {
      clientName: 'mini-platform-archive',
      clock: systemClock,
      // What the service is about is told by the command's own error.
      logger: createLogger('pretty', 'error'),
      metrics: serviceMetrics(new Registry()),
    });
    const { objects } = services.ports;
    if (objects === undefined) throw new Error('no object store was opened');
    return { objects, bucket: archiveBucket(resource), close: () => services.close() };
  } catch (error) {
    throw asCommandError(error);
  }
}
