import type { Server, ServerCredentials } from '@grpc/grpc-js';

/** Binds a gRPC server to `host:port` and resolves to the port; rejects when the address is taken. */
export function bindServer(server: Server, address: string, credentials: ServerCredentials): Promise<number> {
  return new Promise((resolve, reject) => {
    server.bindAsync(address, credentials, (error, port) => {
      if (error === null) resolve(port);
      else reject(error);
    });
  });
}
