import { TcpProxy } from '../helpers/tcp-proxy.ts';
import { freePort } from '../services/free-port.ts';
import type { Server } from '../services/server-process.ts';

/** A server and the proxy by which alone the roles know it. */
export interface ProxiedServer<S extends Server> {
  readonly server: S;
  readonly proxy: TcpProxy;
}

/** Starts a proxy, then the server behind it, on the port and with the address of the proxy that it is given. */
export async function startProxied<S extends Server>(
  start: (port: number, proxyAddress: string) => Promise<S>,
): Promise<ProxiedServer<S>> {
  const port = await freePort();
  const proxy = await TcpProxy.start(port, await freePort());
  try {
    return { server: await start(port, proxy.address), proxy };
  } catch (error) {
    await proxy.close();
    throw error;
  }
}

export async function stopProxied({ server, proxy }: ProxiedServer<Server>): Promise<void> {
  await server.stop();
  await proxy.close();
}
