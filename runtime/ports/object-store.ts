/** An object's name, version and user metadata. */
export interface ObjectInfo {
  readonly key: string;
  /** Changes whenever the content does. */
  readonly etag: string;
  /** Bytes. */
  readonly size: number;
  /** When it was stored, in ms since the epoch. */
  readonly modifiedAt: number;
}

export interface ObjectHead extends ObjectInfo {
  /** Lower-case names. */
  readonly metadata: Readonly<Record<string, string>>;
}

/** An object with its content, which is read once, in pieces of bounded size. */
export interface ObjectContent extends ObjectHead {
  readonly body: AsyncIterable<Uint8Array>;
}

export interface PutOptions {
  /** Names of lower-case letters, digits and `-`; printable ASCII values; 2 KB in all. */
  readonly metadata?: Readonly<Record<string, string>>;
  /** True: store only if no object has this key. */
  readonly ifAbsent?: boolean;
}

/** `exists`: `ifAbsent` was asked for and there is an object already; it is left as it was. */
export type PutResult =
  { readonly outcome: 'stored'; readonly etag: string } | { readonly outcome: 'exists' };

export interface ListOptions {
  readonly prefix: string;
  /** Keys behind this one only. */
  readonly after?: string;
  /** At most this many, 1 to 1,000. */
  readonly limit: number;
}

/** A store of immutable blobs in buckets: S3, or its embedded twin. */
export interface ObjectStore {
  ensureBuckets(names: readonly string[]): Promise<void>;
  /** Stores an object; it is durable when this resolves, and never seen half written. */
  put(bucket: string, key: string, body: Uint8Array, options?: PutOptions): Promise<PutResult>;
  /** The object; undefined when there is none; `unchanged` when its etag is `unlessEtag`. */
  get(
    bucket: string,
    key: string,
    options?: { readonly unlessEtag?: string },
  ): Promise<ObjectContent | 'unchanged' | undefined>;
  head(bucket: string, key: string): Promise<ObjectHead | undefined>;
  /** One page of a bucket's objects, in ascending order of the UTF-8 bytes of their keys. */
  list(bucket: string, options: ListOptions): Promise<readonly ObjectInfo[]>;
  remove(bucket: string, key: string): Promise<void>;
  /** Closes the connection. Calls after it reject with `closed`. */
  close(): Promise<void>;
}
