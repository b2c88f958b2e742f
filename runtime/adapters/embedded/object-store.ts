import { randomUUID } from 'node:crypto';
import { link, rename, rm, stat, unlink } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import type {
  ListOptions,
  ObjectContent,
  ObjectHead,
  ObjectInfo,
  ObjectStore,
  PutOptions,
  PutResult,
} from '../../ports/object-store.ts';
import { PortError } from '../../ports/port-error.ts';
import { checkLimit } from '../argument-check.ts';
import { checkBucket, checkKey, checkMetadata } from '../object-check.ts';
import { DurableFolders, makeFolder, syncFolder } from './durable-folders.ts';
import { etagOf, readObjectBody, readObjectHeader, writeObjectFile } from './object-file.ts';
import { encodeKey } from './object-key.ts';
import { walkKeys } from './object-listing.ts';
import { hasCode, messageOf } from './system-error.ts';

/**
 * An object store in a folder: `buckets/<bucket>/` holds the objects (object-key.ts), `new/` what is being
 * written. A file is written and fsynced there, then put in place by link(), which refuses an existing name,
 * or by rename(), which replaces it, and the folder is fsynced.
 */
export class EmbeddedObjectStore implements ObjectStore {
  readonly #buckets: string;
  readonly #new: string;
  readonly #folders: DurableFolders;
  #closed = false;

  private constructor(root: string) {
    this.#buckets = join(root, 'buckets');
    this.#new = join(root, 'new');
    this.#folders = new DurableFolders(root);
  }

  /** Opens the folder, or makes it, and removes what a crash left half written. */
  static async open(directory: string): Promise<EmbeddedObjectStore> {
    const root = resolve(directory);
    const store = new EmbeddedObjectStore(root);
    await guarded('object-store.open', async () => {
      await makeFolder(root);
      await rm(store.#new, { recursive: true, force: true });
      await store.#folders.ensure(store.#new);
      await store.#folders.ensure(store.#buckets);
    });
    return store;
  }

  /** Opens the folder for reading. It changes nothing, so it works beside the process whose folder it is. */
  static openForReading(directory: string): Pick<ObjectStore, 'get' | 'head' | 'list'> {
    return new EmbeddedObjectStore(resolve(directory));
  }

  async ensureBuckets(names: readonly string[]): Promise<void> {
    const call = this.#call('ensureBuckets');
    for (const name of names) checkBucket(call, name);
    await guarded(call, async () => {
      for (const name of names) await this.#folders.ensure(join(this.#buckets, name));
    });
  }

  async put(bucket: string, key: string, body: Uint8Array, options: PutOptions = {}): Promise<PutResult> {
    const { metadata = {}, ifAbsent = false } = options;
    const call = this.#call('put');
    checkMetadata(call, metadata);
    const path = await this.#path(call, bucket, key);
    const header = { etag: etagOf(body), size: body.byteLength, modifiedAt: Date.now(), metadata };
    return guarded(call, async () => {
      const written = join(this.#new, randomUUID());
      try {
        await writeObjectFile(written, header, body);
        await this.#folders.ensure(dirname(path));
        if (ifAbsent) await link(written, path);
        else await rename(written, path);
        await syncFolder(dirname(path));
        return { outcome: 'stored', etag: header.etag };
      } catch (error) {
        if (ifAbsent && hasCode(error, 'EEXIST')) return { outcome: 'exists' };
        throw error;
      } finally {
        await rm(written, { force: true });
      }
    });
  }

  async get(
    bucket: string,
    key: string,
    { unlessEtag }: { readonly unlessEtag?: string } = {},
  ): Promise<ObjectContent | 'unchanged' | undefined> {
    const call = this.#call('get');
    const path = await this.#path(call, bucket, key);
    const header = await guarded(call, () => readObjectHeader(path));
    if (header === undefined) return undefined;
    if (header.etag === unlessEtag) return 'unchanged';
    return { key, ...header, body: guardedPieces(call, readObjectBody(path, header.etag)) };
  }

  async head(bucket: string, key: string): Promise<ObjectHead | undefined> {
    const call = this.#call('head');
    const path = await this.#path(call, bucket, key);
    const header = await guarded(call, () => readObjectHeader(path));
    return header === undefined ? undefined : { key, ...header };
  }

  async list(bucket: string, { prefix, after, limit }: ListOptions): Promise<readonly ObjectInfo[]> {
    const call = this.#call('list');
    checkLimit(call, limit);
    const folder = await this.#bucket(call, bucket);
    const range = {
      prefix: Buffer.from(prefix),
      after: after === undefined ? undefined : Buffer.from(after),
    };
    return guarded(call, async () => {
      const infos: ObjectInfo[] = [];
      for await (const { key, path } of walkKeys(folder, range)) {
        const header = await readObjectHeader(path);
        // Removed since the folder was read.
        if (header === undefined) continue;
        infos.push({ key, etag: header.etag, size: header.size, modifiedAt: header.modifiedAt });
        if (infos.length === limit) break;
      }
      return infos;
    });
  }

  async remove(bucket: string, key: string): Promise<void> {
    const call = this.#call('remove');
    const path = await this.#path(call, bucket, key);
    await guarded(call, async () => {
      try {
        await unlink(path);
        await syncFolder(dirname(path));
      } catch (error) {
        if (!hasCode(error, 'ENOENT')) throw error;
      }
    });
  }

  close(): Promise<void> {
    this.#closed = true;
    return Promise.resolve();
  }

  async #path(call: string, bucket: string, key: string): Promise<string> {
    checkKey(call, key);
    return join(await this.#bucket(call, bucket), ...encodeKey(key));
  }

  async #bucket(call: string, name: string): Promise<string> {
    checkBucket(call, name);
    const folder = join(this.#buckets, name);
    try {
      await stat(folder);
    } catch (error) {
      if (hasCode(error, 'ENOENT')) throw new PortError('invalid', call, `there is no bucket ${name}`);
      throw unavailable(call, error);
    }
    return folder;
  }

  #call(method: string): string {
    const call = `object-store.${method}`;
    if (this.#closed) throw new PortError('closed', call, 'the store has been closed');
    return call;
  }
}

async function guarded<T>(call: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    throw unavailable(call, error);
  }
}

async function* guardedPieces(call: string, pieces: AsyncIterable<Uint8Array>): AsyncGenerator<Uint8Array> {
  try {
    yield* pieces;
  } catch (error) {
    throw unavailable(call, error);
  }
}

function unavailable(call: string, error: unknown): PortError {
  return new PortError('unavailable', call, messageOf(error), { cause: error });
}
