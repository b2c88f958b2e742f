import type { Readable } from 'node:stream';
import {
  CreateBucketCommand,
  DeleteObjectCommand,
  GetObjectCommand,
  type GetObjectCommandInput,
  HeadObjectCommand,
  type HeadObjectCommandInput,
  type HeadObjectCommandOutput,
  ListObjectsV2Command,
  PutObjectCommand,
} from '@aws-sdk/client-s3';
import type {
  ListOptions,
  ObjectContent,
  ObjectHead,
  ObjectInfo,
  ObjectStore,
  PutOptions,
  PutResult,
} from '../../ports/object-store.ts';
import type { ServiceObserver } from '../../ports/service-observer.ts';
import { checkLimit } from '../argument-check.ts';
import { checkBucket, checkKey, checkMetadata } from '../object-check.ts';
import { type Call, type CallLimits, Calls, FailedRequest } from './calls.ts';
import { S3Connection, type S3Server } from './connection.ts';
import { codeOf, type FailurePlace, mayNotCreate, notS3, statusOf } from './failure.ts';
import { ObjectBody } from './object-body.ts';

export interface S3Options extends S3Server {
  readonly observer: ServiceObserver;
}

export interface S3Limits extends CallLimits {
  /** How long the store may be silent while content is read, in ms. */
  readonly stallMs: number;
  /** How long content may stay unread before it is given up, in ms. */
  readonly unreadMs: number;
}

const LIMITS: S3Limits = {
  callMs: 3_500,
  tryMs: 1_600,
  pauseMs: 100,
  stallMs: 20_000,
  unreadMs: 5 * 60_000,
};
/** Bytes that a put must bring to the store each second, beyond the time that any call has. */
const PUT_BYTES_PER_S = 384 * 1024;

/**
 * An object store on S3, or on what speaks its language. It connects when it is first called, and again whenever it
 * must. A put with `ifAbsent` that got no answer is not sent again: the second would find the first, and be told that
 * there is an object already as if it were somebody else's. It rejects, and who asks again compares what stands there.
 */
export class S3ObjectStore implements ObjectStore {
  readonly #endpoint: string;
  readonly #hasOwnKeys: boolean;
  readonly #observer: ServiceObserver;
  readonly #limits: S3Limits;
  readonly #connection: S3Connection;
  readonly #calls: Calls;

  constructor({ observer, ...server }: S3Options, limits: Partial<S3Limits> = {}) {
    this.#endpoint = server.endpoint;
    this.#hasOwnKeys = server.credentials !== undefined;
    this.#observer = observer;
    this.#limits = { ...LIMITS, ...limits };
    this.#connection = new S3Connection(server);
    this.#calls = new Calls({
      endpoint: this.#endpoint,
      hasOwnKeys: this.#hasOwnKeys,
      limits: this.#limits,
      observer,
      onNoAnswer: () => this.#connection.dropIdle(),
    });
  }

  /**
   * Makes the buckets that are absent, where that is permitted. They are looked for by listing, which archivers must be
   * permitted anyway: unlike HEAD it tells what is wrong.
   */
  async ensureBuckets(names: readonly string[]): Promise<void> {
    const name = this.#call('ensureBuckets');
    for (const bucket of names) checkBucket(name, bucket);
    for (const bucket of names) {
      const call = { name, bucket, isRepeatable: true };
      if (!(await this.#hasBucket(call))) await this.#createBucket(call);
    }
  }

  async put(bucket: string, key: string, body: Uint8Array, options: PutOptions = {}): Promise<PutResult> {
    const { metadata = {}, ifAbsent = false } = options;
    const name = this.#call('put');
    checkMetadata(name, metadata);
    checkPlace(name, bucket, key);
    const timeoutMs = this.#limits.callMs + Math.ceil((body.byteLength / PUT_BYTES_PER_S) * 1_000);
    const call = { name, bucket, isRepeatable: !ifAbsent, timeoutMs };
    const condition = ifAbsent ? { IfNoneMatch: '*' } : {};
    return this.#calls.run<PutResult>(
      call,
      async (abortSignal) => {
        this.#observer.sent('PutObject', 1);
        const command = new PutObjectCommand({
          Bucket: bucket,
          Key: key,
          Body: body,
          Metadata: metadata,
          ...condition,
        });
        const { ETag: etag } = await this.#connection.client.send(command, { abortSignal });
        // Something else that answers 200 has stored nothing.
        return { outcome: 'stored', etag: etag ?? this.#notS3(call, 'no ETag for a put') };
      },
      (error) => (ifAbsent && statusOf(error) === 412 ? { outcome: 'exists' } : undefined),
    );
  }

  async get(
    bucket: string,
    key: string,
    { unlessEtag }: { readonly unlessEtag?: string } = {},
  ): Promise<ObjectContent | 'unchanged' | undefined> {
    const name = this.#call('get');
    checkPlace(name, bucket, key);
    const call = { name, bucket, isRepeatable: true };
    const condition = unlessEtag === undefined ? {} : { IfNoneMatch: unlessEtag };
    const found = await this.#calls.run<ObjectContent | 'unchanged' | 'none'>(
      call,
      (signal) => this.#getObject(call, { Bucket: bucket, Key: key, ...condition }, signal),
      (error) => {
        if (statusOf(error) === 304) return 'unchanged';
        return codeOf(error) === 'NoSuchKey' ? 'none' : undefined;
      },
    );
    return found === 'none' ? undefined : found;
  }

  async head(bucket: string, key: string): Promise<ObjectHead | undefined> {
    const name = this.#call('head');
    checkPlace(name, bucket, key);
    const call = { name, bucket, isRepeatable: true };
    const found = await this.#calls.run<ObjectHead | 'none'>(call, (signal) =>
      this.#headObject(call, { Bucket: bucket, Key: key }, signal),
    );
    return found === 'none' ? undefined : found;
  }

  async list(bucket: string, options: ListOptions): Promise<readonly ObjectInfo[]> {
    const name = this.#call('list');
    checkBucket(name, bucket);
    checkLimit(name, options.limit);
    const call = { name, bucket, isRepeatable: true };
    return this.#calls.run(call, (signal) => this.#listObjects(call, options, signal));
  }

  async remove(bucket: string, key: string): Promise<void> {
    const name = this.#call('remove');
    checkPlace(name, bucket, key);
    await this.#calls.run<true>(
      { name, bucket, isRepeatable: true },
      async (abortSignal) => {
        this.#observer.sent('DeleteObject', 1);
        const command = new DeleteObjectCommand({ Bucket: bucket, Key: key });
        await this.#connection.client.send(command, { abortSignal });
        return true;
      },
      // Some stores say that there was none.
      (error) => codeOf(error) === 'NoSuchKey' || undefined,
    );
  }

  close(): Promise<void> {
    this.#calls.close();
    this.#connection.destroy();
    return Promise.resolve();
  }

  async #getObject(
    call: Call,
    input: GetObjectCommandInput,
    abortSignal: AbortSignal,
  ): Promise<ObjectContent> {
    this.#observer.sent('GetObject', 1);
    const output = await this.#connection.client.send(new GetObjectCommand(input), { abortSignal });
    // The SDK's type is that of every platform; on Node it is a stream.
    const body = new ObjectBody(output.Body as unknown as Readable, {
      call: call.name,
      endpoint: this.#endpoint,
      ...this.#limits,
    });
    try {
      return { ...this.#headOf(call, input.Key ?? '', output), body };
    } catch (error) {
      body.leave();
      throw error;
    }
  }

  /** Asks until the page is full: a store may answer with fewer than there are. */
  async #listObjects(call: Call, options: ListOptions, abortSignal: AbortSignal): Promise<ObjectInfo[]> {
    const { prefix, after, limit } = options;
    const infos: ObjectInfo[] = [];
    let more: { ContinuationToken: string } | undefined;
    do {
      const command = new ListObjectsV2Command({
        Bucket: call.bucket,
        Prefix: prefix,
        MaxKeys: limit - infos.length,
        ...(after === undefined ? {} : { StartAfter: after }),
        ...more,
      });
      const page = await this.#connection.client.send(command, { abortSignal });
      if (page.IsTruncated === undefined) this.#notS3(call, 'no list for a list');
      const { Contents: contents = [], NextContinuationToken: token } = page;
      this.#observer.sent('ListObjectsV2', contents.length);
      infos.push(...contents.map((each) => this.#infoOf(call, each)));
      more = page.IsTruncated && token !== undefined ? { ContinuationToken: token } : undefined;
    } while (more !== undefined && infos.length < limit);
    return infos;
  }

  async #hasBucket(call: Call): Promise<boolean> {
    return this.#calls.run<boolean>(
      call,
      async (signal) => {
        await this.#listObjects(call, { prefix: '', limit: 1 }, signal);
        return true;
      },
      (error) => (codeOf(error) === 'NoSuchBucket' ? false : undefined),
    );
  }

  async #createBucket(call: Call): Promise<void> {
    const found = await this.#calls.run<'created' | 'exists'>(
      call,
      async (abortSignal) => {
        this.#observer.sent('CreateBucket', 1);
        try {
          await this.#connection.client.send(new CreateBucketCommand({ Bucket: call.bucket }), {
            abortSignal,
          });
        } catch (error) {
          if (codeOf(error) !== 'AccessDenied') throw error;
          throw new FailedRequest(mayNotCreate(this.#place(call)));
        }
        return 'created';
      },
      (error) =>
        codeOf(error) === 'BucketAlreadyOwnedByYou' || codeOf(error) === 'BucketAlreadyExists'
          ? 'exists'
          : undefined,
    );
    // Somebody else was faster; it may be somebody's whose buckets this platform may not use.
    if (found === 'exists') await this.#hasBucket(call);
  }

  async #headObject(
    call: Call,
    input: HeadObjectCommandInput,
    abortSignal: AbortSignal,
  ): Promise<ObjectHead | 'none'> {
    this.#observer.sent('HeadObject', 1);
    try {
      const output = await this.#connection.client.send(new HeadObjectCommand(input), { abortSignal });
      return this.#headOf(call, input.Key ?? '', output);
    } catch (error) {
      const status = statusOf(error);
      if (status === undefined || status >= 500) throw error;
      await this.#explain(call, status, abortSignal);
      if (status === 404) return 'none';
      throw error;
    }
  }

  /** Answers to HEAD have no body. A listing of the same bucket is told what is wrong, and rejects with it. */
  async #explain(call: Call, status: number, abortSignal: AbortSignal): Promise<void> {
    try {
      await this.#listObjects(call, { prefix: '', limit: 1 }, abortSignal);
    } catch (error) {
      // Who may read objects need not be permitted to list them.
      if (status !== 404 || codeOf(error) !== 'AccessDenied') throw error;
    }
  }

  #headOf(call: Call, key: string, output: HeadObjectCommandOutput): ObjectHead {
    return {
      ...this.#infoOf(call, { ...output, Key: key, Size: output.ContentLength }),
      metadata: output.Metadata ?? {},
    };
  }

  #infoOf(call: Call, { Key: key, ETag: etag, Size: size, LastModified: modified }: Listed): ObjectInfo {
    if (key === undefined || etag === undefined || size === undefined || modified === undefined) {
      return this.#notS3(call, 'an object without ETag, size or time');
    }
    return { key, etag, size, modifiedAt: modified.getTime() };
  }

  #notS3(call: Call, what: string): never {
    throw new FailedRequest(notS3(this.#place(call), what));
  }

  #place({ bucket }: Call): FailurePlace {
    return { endpoint: this.#endpoint, bucket, hasOwnKeys: this.#hasOwnKeys };
  }

  #call(method: string): string {
    const name = `object-store.${method}`;
    this.#calls.check(name);
    return name;
  }
}

/** What S3 says of an object in a list. */
interface Listed {
  readonly Key?: string | undefined;
  readonly ETag?: string | undefined;
  readonly Size?: number | undefined;
  readonly LastModified?: Date | undefined;
}

function checkPlace(call: string, bucket: string, key: string): void {
  checkBucket(call, bucket);
  checkKey(call, key);
}
