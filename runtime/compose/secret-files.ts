import { readTextFile } from '../../schema/text-file.ts';
import { SetupError } from './setup-error.ts';

/** A field of a configuration that names a file, for errors: never its content. */
export interface FileField {
  /** `stores.cache.redis.passwordFile` */
  readonly field: string;
  /** The field of the MiniPlatform that it is made from. */
  readonly source: string;
}

const MAX_SECRET_BYTES = 64 * 1024;
/** What a Secret may hold; the well-known authorities take a quarter of it. */
const MAX_CA_BYTES = 1024 * 1024;

/** The secret in a file, without the line end that editors leave. Throws a SetupError when there is none. */
export function readSecret(field: FileField, file: string): string {
  const secret = readOptionalSecret(field, file);
  if (secret === undefined) throw unusable(field, file, 'there is no such file');
  return secret;
}

/** The secret in a file; undefined when there is no such file. */
export function readOptionalSecret(field: FileField, file: string): string | undefined {
  const read = readTextFile(file, MAX_SECRET_BYTES);
  if (!read.ok) {
    if (read.isAbsent) return undefined;
    throw unusable(field, file, read.message);
  }
  const secret = read.text.replace(/\r?\n$/, '');
  if (secret === '') throw unusable(field, file, 'the file is empty');
  return secret;
}

/** The certificates in a file, as PEM; undefined when no file is named. Throws a SetupError when there is none in it. */
export function readCertificates(field: FileField, file: string | undefined): string | undefined {
  if (file === undefined) return undefined;
  const read = readTextFile(file, MAX_CA_BYTES);
  if (!read.ok) throw unusable(field, file, read.message);
  if (!read.text.includes('-----BEGIN CERTIFICATE-----')) {
    throw unusable(field, file, 'there is no certificate in PEM in it');
  }
  return read.text;
}

function unusable({ field, source }: FileField, file: string, why: string): SetupError {
  return new SetupError(
    `${field} (from ${source}): ${file} cannot be used: ${why}. Put there what the field asks for; with "up" these ` +
      'files are <secret>/<key> in the folder that --secrets-dir names.',
  );
}
