const HOST = '[a-zA-Z0-9]([-_a-zA-Z0-9.]*[a-zA-Z0-9])?';
const PORT = '([1-9][0-9]{0,3}|[1-5][0-9]{4}|6[0-4][0-9]{3}|65[0-4][0-9]{2}|655[0-2][0-9]|6553[0-5])';
/** A host, or an IPv6 address in brackets. */
const SERVER = `(\\[[0-9a-fA-F:]+\\]|${HOST})`;

/** Patterns of texts, as crds/miniplatforms.yaml has them too where it has such a field; phrases.ts has the words. */
export const PATTERNS = {
  /** An amount and a unit; bounds are a rule's. */
  duration: '^([0-9]+(ms|s|m|h))$',
  /** A name of a host or an IPv4 address, to listen on. */
  host: `^${HOST}$`,
  /** Host and port of a service. */
  address: `^${SERVER}:${PORT}$`,
  /** Without credentials, also in what may follow on a `?`: they belong in files. */
  redisUrl: `^rediss?://${SERVER}(:${PORT})?(/[0-9]{1,3})?$`,
  httpUrl: `^https?://${SERVER}(:${PORT})?$`,
  /** An absolute path. */
  file: '^/.*[^/\\s]$',
  domain: '^[a-z]([-a-z0-9]*[a-z0-9])?$',
  bucket: '^[a-z0-9]([-a-z0-9.]*[a-z0-9])?$',
  region: '^[-a-z0-9]+$',
  /** What MongoDB allows in the name of a database, without what a shell minds. */
  database: '^[-_a-zA-Z0-9]+$',
  /** A name or the beginning of names, of a topic for example. */
  name: '^[-._a-zA-Z0-9]+$',
  /** The beginning of the names of keys in the cache. */
  keyPrefix: '^[-._:a-zA-Z0-9]+$',
} as const;
