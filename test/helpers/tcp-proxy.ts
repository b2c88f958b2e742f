import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** A network between two processes that a test can break. */
export class TcpProxy {
  readonly #server: Server;
  readonly #targetPort: number;
  readonly #sockets = new Set<Socket>();
  readonly #held: (() => void)[] = [];
  #stalled = false;
  #delayMs = 0;

  private constructor(targetPort: number) {
    this.#targetPort = targetPort;
    this.#server = createServer((near) => this.#join(near));
  }

  /** Listens on a port of its own on loopback, and passes all on to the target's. */
  static async start(targetPort: number): Promise<TcpProxy> {
    const proxy = new TcpProxy(targetPort);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get address(): string {
    const { port } = this.#server.address() as AddressInfo;
    return `127.0.0.1:${port}`;
  }

  /** Resets every connection that stands; new ones are taken. */
  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
    this.#sockets.clear();
  }

  /** A black hole: connections stand, and nothing passes either way until `resume`. */
  stall(): void {
    this.#stalled = true;
  }

  /** Passes on what was held back, and all that follows. */
  resume(): void {
    this.#stalled = false;
    for (const pass of this.#held.splice(0)) pass();
  }

  /** From now on each piece arrives this many ms later. */
  delay(ms: number): void {
    this.#delayMs = ms;
  }

  async close(): Promise<void> {
    this.cut();
    const closed = once(this.#server, 'close');
    this.#server.close();
    await closed;
  }

  #join(near: Socket): void {
    const far = connect(this.#targetPort, '127.0.0.1');
    this.#pipe(near, far);
    this.#pipe(far, near);
  }

  #pipe(from: Socket, to: Socket): void {
    this.#sockets.add(from);
    from.setNoDelay(true);
    from.on('data', (chunk: Buffer) => this.#pass(() => to.write(chunk)));
    from.on('end', () => this.#pass(() => to.end()));
    from.on('close', () => {
      this.#sockets.delete(from);
      this.#pass(() => to.destroy());
    });
    // A reset is one of the faults that are tried; `close` follows and is passed on.
    from.on('error', () => {});
  }

  #pass(action: () => void): void {
    if (this.#stalled) this.#held.push(action);
    else if (this.#delayMs > 0) setTimeout(action, this.#delayMs);
    else action();
  }
}
