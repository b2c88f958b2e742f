import { once } from 'node:events';
import { type AddressInfo, connect, createServer, type Server, type Socket } from 'node:net';

/** What is done to the data that passes. */
type Mode = 'pass' | 'stall' | 'refuse' | 'half-open';

/** A network between two processes that a test can break. */
export class TcpProxy {
  readonly #server: Server;
  readonly #sockets = new Set<Socket>();
  readonly #lanes = new Set<Lane>();
  #targetPort: number | undefined;
  #mode: Mode = 'pass';
  #delayMs = 0;

  private constructor(targetPort: number | undefined) {
    this.#targetPort = targetPort;
    this.#server = createServer((near) => this.#join(near));
  }

  /**
   * Listens on loopback, on this port or one that the system chooses, and passes all on to the target's; without a
   * target it resets whoever comes.
   */
  static async start(targetPort?: number, port = 0): Promise<TcpProxy> {
    const proxy = new TcpProxy(targetPort);
    proxy.#server.listen(port, '127.0.0.1');
    await once(proxy.#server, 'listening');
    return proxy;
  }

  get address(): string {
    return `127.0.0.1:${this.port}`;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  /** How many connections stand, those that were half-opened among them. */
  get connections(): number {
    return this.#lanes.size / 2;
  }

  /** New connections go to this port from now on. */
  target(port: number): void {
    this.#targetPort = port;
  }

  /** Resets every connection that stands; new ones are taken. */
  cut(): void {
    for (const socket of this.#sockets) socket.resetAndDestroy();
    this.#sockets.clear();
  }

  /** Resets every connection that stands, and new ones at once, until `resume`. */
  refuse(): void {
    this.#mode = 'refuse';
    this.cut();
  }

  /** A black hole: connections stand, and nothing passes either way until `resume`. */
  stall(): void {
    this.#mode = 'stall';
    for (const lane of this.#lanes) lane.hold();
  }

  /**
   * As when a peer is gone without a word: what stands, and what is opened until `resume`, stays open, and whatever is
   * sent on it is lost, for ever. Only connections that are opened after `resume` work again.
   */
  halfOpen(): void {
    this.#mode = 'half-open';
    for (const lane of this.#lanes) lane.lose();
  }

  /** Passes on what was held back, and all that follows. */
  resume(): void {
    this.#mode = 'pass';
    for (const lane of this.#lanes) lane.release();
  }

  /** From now on each piece arrives this many ms later, behind those before it. */
  delay(ms: number): void {
    this.#delayMs = ms;
  }

  async close(): Promise<void> {
    this.cut();
    for (const lane of this.#lanes) lane.lose();
    const closed = once(this.#server, 'close');
    this.#server.close();
    await closed;
  }

  #join(near: Socket): void {
    if (this.#mode === 'refuse' || this.#targetPort === undefined) {
      near.on('error', ignore);
      near.resetAndDestroy();
      return;
    }
    const far = connect(this.#targetPort, '127.0.0.1');
    const lane = this.#pipe(near, far);
    this.#pipe(far, near);
    // Who gives a lost connection up is not heard of at the other end; but nothing is to be left of it here.
    near.on('close', () => lane.isLost && far.destroy());
  }

  #pipe(from: Socket, to: Socket): Lane {
    const lane = new Lane(() => this.#delayMs);
    if (this.#mode === 'stall') lane.hold();
    if (this.#mode === 'half-open') lane.lose();
    this.#lanes.add(lane);
    this.#sockets.add(from);
    from.setNoDelay(true);
    from.on('data', (chunk: Buffer) => lane.pass(() => to.write(chunk)));
    from.on('end', () => lane.pass(() => to.end()));
    from.on('close', (failed) => {
      this.#sockets.delete(from);
      this.#lanes.delete(lane);
      // A target that refuses the connection is to look like one.
      lane.pass(() => (failed ? to.resetAndDestroy() : to.destroy()));
    });
    // A reset is one of the faults that are tried; `close` follows and is passed on.
    from.on('error', ignore);
    return lane;
  }
}

/** One direction of a connection: what enters first leaves first. */
class Lane {
  readonly #delayMs: () => number;
  #waiting: { readonly due: number; readonly act: () => void }[] = [];
  #state: 'open' | 'held' | 'lost' = 'open';
  #timer: NodeJS.Timeout | undefined;

  constructor(delayMs: () => number) {
    this.#delayMs = delayMs;
  }

  get isLost(): boolean {
    return this.#state === 'lost';
  }

  pass(act: () => void): void {
    if (this.#state === 'lost') return;
    const due = Math.max(performance.now() + this.#delayMs(), this.#waiting.at(-1)?.due ?? 0);
    this.#waiting.push({ due, act });
    this.#drain();
  }

  hold(): void {
    if (this.#state === 'open') this.#state = 'held';
  }

  release(): void {
    if (this.#state === 'held') this.#state = 'open';
    this.#drain();
  }

  /** What waits, and all that follows, arrives nowhere. */
  lose(): void {
    this.#state = 'lost';
    this.#waiting = [];
    clearTimeout(this.#timer);
  }

  #drain(): void {
    clearTimeout(this.#timer);
    if (this.#state !== 'open') return;
    const now = performance.now();
    for (let head = this.#waiting[0]; head !== undefined && head.due <= now; head = this.#waiting[0]) {
      this.#waiting.shift();
      head.act();
    }
    const [next] = this.#waiting;
    if (next !== undefined) this.#timer = setTimeout(() => this.#drain(), Math.ceil(next.due - now));
  }
}

function ignore(): void {}
