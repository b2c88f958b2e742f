import { PortError } from '../ports/port-error.ts';

/** The rule of S3; two dots could not be told from a path. */
const BUCKET = /^[a-z0-9](?:[a-z0-9-]|\.(?!\.)){1,61}[a-z0-9]$/;
const METADATA_NAME = /^[a-z0-9-]+$/;
const METADATA_VALUE = /^[\x20-\x7e]*$/;
const MAX_METADATA_BYTES = 2_048;
const MAX_KEY_BYTES = 1_024;

/** Refuses a name that no bucket can have. */
export function checkBucket(call: string, name: string): void {
  if (!BUCKET.test(name)) throw new PortError('invalid', call, `${JSON.stringify(name)} is no bucket name`);
}

/** Refuses a key that is empty, too long or not well formed. */
export function checkKey(call: string, key: string): void {
  if (key.isWellFormed() && key.length > 0 && Buffer.byteLength(key) <= MAX_KEY_BYTES) return;
  throw new PortError('invalid', call, `a key has 1 to ${MAX_KEY_BYTES} bytes of well-formed text`);
}

/** Refuses metadata that would not come back as it is. */
export function checkMetadata(call: string, metadata: Readonly<Record<string, string>>): void {
  let bytes = 0;
  for (const [name, value] of Object.entries(metadata)) {
    bytes += name.length + value.length;
    if (METADATA_NAME.test(name) && METADATA_VALUE.test(value)) continue;
    throw new PortError('invalid', call, `metadata ${JSON.stringify(name)} is not printable ASCII`);
  }
  if (bytes <= MAX_METADATA_BYTES) return;
  throw new PortError('invalid', call, `metadata has ${bytes} bytes of ${MAX_METADATA_BYTES}`);
}
