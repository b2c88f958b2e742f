import type { ServiceObserver } from '../../ports/service-observer.ts';

export interface RedisOptions {
  /** One server, as redis://host:port/database or rediss:// for TLS; or the Sentinels, as host:port, that name it. */
  readonly server:
    | { readonly url: string }
    | { readonly sentinels: readonly string[]; readonly masterName: string; readonly tls: boolean };
  /** What the names of all keys and channels begin with. */
  readonly keyPrefix: string;
  /** The authorities to trust, in PEM; the well-known ones when absent. */
  readonly ca?: string;
  /** The default user when absent. */
  readonly username?: string;
  readonly password?: string;
  readonly observer: ServiceObserver;
}

/** How to connect to a server, whichever it is. */
export interface DialOptions {
  readonly tls: { readonly ca: string | undefined } | undefined;
  readonly login: Login | undefined;
  /** Number of the database. */
  readonly database: number;
  /** What of the YAML says which server it is. */
  readonly settings: Settings;
}

/** The names of settings, for errors. */
export interface Settings {
  readonly address: string;
  readonly tls: string;
}

export interface Login {
  readonly username: string | undefined;
  readonly password: string;
}

export interface Address {
  readonly host: string;
  readonly port: number;
}

const DEFAULT_PORT = 6379;

/** How the servers of these options are connected to. */
export function dialOptions({ server, ca, username, password }: RedisOptions): DialOptions {
  const isUrl = 'url' in server;
  const isTls = isUrl ? server.url.startsWith('rediss:') : server.tls;
  return {
    tls: isTls ? { ca } : undefined,
    login: password === undefined ? undefined : { username, password },
    database: isUrl ? Number(urlParts(server.url).database) : 0,
    settings: isUrl
      ? { address: 'spec.redis.url', tls: 'spec.redis.url (redis:// is without TLS, rediss:// with it)' }
      : { address: 'spec.redis.sentinels', tls: 'spec.redis.tls' },
  };
}

/** The server of a URL. */
export function urlAddress(url: string): Address {
  const { server } = urlParts(url);
  return parseAddress(/:[0-9]+$/.test(server) ? server : `${server}:${DEFAULT_PORT}`);
}

/** Host and port of host:port, where an IPv6 address stands in brackets. */
export function parseAddress(text: string): Address {
  const at = text.lastIndexOf(':');
  const host = text.slice(0, at);
  return { host: host.startsWith('[') ? host.slice(1, -1) : host, port: Number(text.slice(at + 1)) };
}

/** The address as text, for errors and to compare. */
export function addressName({ host, port }: Address): string {
  return host.includes(':') ? `[${host}]:${port}` : `${host}:${port}`;
}

/** Its form has been checked with the configuration. Anything else ends as a host that cannot be found. */
function urlParts(url: string): { readonly server: string; readonly database: string } {
  const [, server = url, database = '0'] = /^rediss?:\/\/([^/]+)(?:\/([0-9]+))?$/.exec(url) ?? [];
  return { server, database };
}
