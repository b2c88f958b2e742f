import { PATTERNS } from './patterns.ts';
import type { Schema } from './structural.ts';

/** Patterns that describe a form as a whole. */
const FORMS = new Map<string, string>([
  [PATTERNS.duration, 'a duration such as 500ms, 2s, 5m or 1h'],
  ['^[0-9]+(\\.[0-9]+)?(m|k|M|G|T|Ki|Mi|Gi|Ti)?$', 'a quantity such as 500m, 2 or 512Mi'],
  [PATTERNS.host, 'a host name or an IPv4 address such as 127.0.0.1'],
  [PATTERNS.address, 'an address, host:port, such as services.example:9092'],
  [PATTERNS.redisUrl, 'a URL such as redis://redis.example:6379, without credentials'],
  [PATTERNS.httpUrl, 'a URL such as https://s3.example, without a path and without credentials'],
  [PATTERNS.file, 'the path of a file, from the root, such as /run/secrets/password'],
]);

/** Patterns that say which characters a text is made of. */
const CHARACTERS = new Map<string, string>([
  ['^\\S+$', 'any kind but white space'],
  [
    PATTERNS.domain,
    "lower case letters, digits and '-', beginning with a letter and ending with a letter or a digit",
  ],
  [
    '^[a-z0-9]([-a-z0-9]*[a-z0-9])?$',
    "lower case letters, digits and '-', beginning and ending with a letter or a digit",
  ],
  [PATTERNS.bucket, "lower case letters, digits, '-' and '.', beginning and ending with a letter or a digit"],
  [PATTERNS.region, "lower case letters, digits and '-'"],
  [PATTERNS.database, "letters, digits, '-' and '_'"],
  [PATTERNS.name, "letters, digits, '-', '_' and '.'"],
  [PATTERNS.keyPrefix, "letters, digits, '-', '_', '.' and ':'"],
]);

/** What a schema asks for, as what follows on a path: `must be a whole number from 0 to 100`. */
export function demand(schema: Schema): string {
  const [rule] = schema['x-kubernetes-validations'] ?? [];
  // The rule of a scalar says more than its pattern does: the bounds of a duration.
  return rule !== undefined && schema.type === 'string' ? rule.message : `must be ${allowed(schema)}`;
}

/** Whether there are words for a pattern. */
export function hasWords(pattern: string): boolean {
  return FORMS.has(pattern) || CHARACTERS.has(pattern);
}

function allowed(schema: Schema): string {
  if (schema.enum !== undefined) return choice(schema.enum);
  if (schema['x-kubernetes-int-or-string'] === true) return text(schema);
  switch (schema.type) {
    case 'object':
      if (schema.maxProperties !== undefined) return `a map of at most ${schema.maxProperties} entries`;
      return schema.required === undefined ? 'a map' : `a map with ${schema.required.join(', ')}`;
    case 'array':
      return `a list${range(' of', schema.minItems, schema.maxItems, ' items')}`;
    case 'integer':
      return `a whole number${range(' from', schema.minimum, schema.maximum, '')}`;
    case 'boolean':
      return 'true or false';
    default:
      return text(schema);
  }
}

function choice(values: readonly unknown[]): string {
  const [only] = values;
  return values.length === 1 ? String(only) : `one of ${values.join(', ')}`;
}

function text(schema: Schema): string {
  const form = FORMS.get(schema.pattern ?? '');
  if (form !== undefined) return form;
  const length = range('', schema.minLength, schema.maxLength, ' characters').trim();
  if (schema.pattern === undefined) return length === '' ? 'a text' : `a text of ${length}`;
  const characters = CHARACTERS.get(schema.pattern) ?? `what ${schema.pattern} matches`;
  return `${length === '' ? 'characters' : length}: ${characters}`;
}

function range(before: string, min: number | undefined, max: number | undefined, after: string): string {
  if (max === undefined) return min === undefined ? '' : `${before} at least ${min}${after}`;
  return min === undefined ? `${before} at most ${max}${after}` : `${before} ${min} to ${max}${after}`;
}
