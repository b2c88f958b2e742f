import { createHash } from 'node:crypto';
import type { ObjectContent, ObjectHead, ObjectStore } from '../../runtime/ports/object-store.ts';
import { PortError } from '../../runtime/ports/port-error.ts';
import { fakeOf } from '../helpers/fakes.ts';

export const SOURCE = { bucket: 'fraud', key: 'fraud-list.txt' };

/** An object store of one object, which a test replaces and breaks. */
export class ListObject {
  /** Bytes of each piece of the content. */
  pieceBytes = 64 * 1024;
  /** Called before each call, and before each piece of a content. */
  before: (what: 'head' | 'get' | 'piece') => void | Promise<void> = () => {};
  /** Bytes that the content has less than the object. */
  cutBytes = 0;
  gets = 0;
  readonly store: ObjectStore;
  #content: Buffer | undefined;

  constructor() {
    this.store = fakeOf<ObjectStore>({
      head: async (bucket, key) => {
        await this.before('head');
        return this.#head(bucket, key);
      },
      get: async (bucket, key, { unlessEtag } = {}) => {
        await this.before('get');
        this.gets += 1;
        const head = this.#head(bucket, key);
        if (head === undefined) return undefined;
        return head.etag === unlessEtag ? 'unchanged' : this.#contentOf(head);
      },
    });
  }

  /** The etag that a content has. */
  static etagOf(content: string | Uint8Array): string {
    return createHash('sha256').update(content).digest('hex').slice(0, 8);
  }

  put(content: string | Uint8Array): void {
    this.#content = Buffer.from(content);
  }

  remove(): void {
    this.#content = undefined;
  }

  #head(bucket: string, key: string): ObjectHead | undefined {
    if (bucket !== SOURCE.bucket) {
      throw new PortError('invalid', 'object-store.get', `there is no bucket ${bucket}`);
    }
    if (this.#content === undefined) return undefined;
    const etag = ListObject.etagOf(this.#content);
    return { key, etag, size: this.#content.length, modifiedAt: 0, metadata: {} };
  }

  #contentOf(head: ObjectHead): ObjectContent {
    // It stays the content of its etag, whatever is put meanwhile.
    const content = this.#content?.subarray(0, head.size - this.cutBytes) ?? Buffer.alloc(0);
    return { ...head, body: this.#pieces(content) };
  }

  async *#pieces(content: Buffer): AsyncGenerator<Uint8Array> {
    for (let at = 0; at < content.length; at += this.pieceBytes) {
      await this.before('piece');
      yield content.subarray(at, at + this.pieceBytes);
    }
  }
}
