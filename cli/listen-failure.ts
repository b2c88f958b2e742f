import type { Listen } from '../runtime/config/shared-fields.ts';
import { CommandError } from './command-error.ts';

/** Where each server listens, by what names its port where people set it: a field or a flag. */
export type Servers = Readonly<Record<string, Listen>>;

/** What `listen` says, in whichever library's words: Node's, or those that gRPC puts around them. */
const REFUSED = /(EADDRINUSE|EACCES|EADDRNOTAVAIL)\b.*?:(\d+)\b/s;

/** Why a server could not listen, as the command tells it, where that is the reason; otherwise the error as it is. */
export function listenFailure(error: unknown, servers: Servers): unknown {
  const [, code, port] = REFUSED.exec(String(error)) ?? [];
  if (code === undefined) return error;
  const [name, { host } = { host: '' }] =
    Object.entries(servers).find(([, server]) => server.port === Number(port)) ?? [];
  const where = name === undefined ? '' : ` with ${name}`;
  const message = {
    EADDRINUSE: `Port ${port} is taken: choose another one${where}.`,
    EACCES: `Port ${port} may not be used: choose one above 1023${where}.`,
    EADDRNOTAVAIL: `This machine has no address ${host}, to listen on at port ${port}: choose another one${where}.`,
  }[code];
  return message === undefined ? error : new CommandError(message, 1, { cause: error });
}
