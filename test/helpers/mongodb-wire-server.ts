import { once } from 'node:events';
import { type AddressInfo, createServer, type Server, type Socket } from 'node:net';
import { BSON } from 'mongodb';

/** A command as it arrived: its name, its fields, and the documents that were sent beside it. */
export interface WireCommand {
  readonly name: string;
  readonly body: Readonly<Record<string, unknown>>;
  /** How many documents came in a sequence of their own, as inserts do. */
  readonly documents: readonly Readonly<Record<string, unknown>>[];
}

/** What to answer: a document, nothing at all (`hang`), or a connection that is cut (`drop`). */
export type WireReply = Readonly<Record<string, unknown>> | 'hang' | 'drop';

export interface WireServerOptions {
  /** Says that it is a primary of a replica set of one, as retried writes need. */
  readonly replicaSet?: string;
  /** One that the system chooses when absent. */
  readonly port?: number;
  /** Fields that the answer to `hello` has in place of the usual ones. */
  readonly hello?: Readonly<Record<string, unknown>>;
}

const OP_REPLY = 1;
const OP_QUERY = 2004;
const OP_MSG = 2013;
const HEADER = 16;

/**
 * A server that speaks MongoDB's wire protocol and stores nothing: each command but `hello` is answered by what the
 * test says (`{ok: 1}` at first). For replies that no server at hand gives, such as those of an election.
 */
export class MongoWireServer {
  readonly commands: WireCommand[] = [];
  answer: (command: WireCommand) => WireReply = () => ({ ok: 1 });
  readonly #server: Server;
  readonly #options: WireServerOptions;
  readonly #sockets = new Set<Socket>();

  private constructor(options: WireServerOptions) {
    this.#options = options;
    this.#server = createServer((socket) => this.#serve(socket));
  }

  static async start(options: WireServerOptions = {}): Promise<MongoWireServer> {
    const server = new MongoWireServer(options);
    server.#server.listen(options.port ?? 0, '127.0.0.1');
    await once(server.#server, 'listening');
    return server;
  }

  get port(): number {
    return (this.#server.address() as AddressInfo).port;
  }

  get uri(): string {
    const { replicaSet } = this.#options;
    return `mongodb://127.0.0.1:${this.port}/${replicaSet === undefined ? '' : `?replicaSet=${replicaSet}`}`;
  }

  /** Commands of this name, in order of arrival. */
  named(name: string): readonly WireCommand[] {
    return this.commands.filter((command) => command.name === name);
  }

  get connections(): number {
    return this.#sockets.size;
  }

  /** Closes all connections, as a server does that ends in order. */
  hangUp(): void {
    for (const socket of this.#sockets) socket.end();
  }

  async stop(): Promise<void> {
    if (!this.#server.listening) return;
    for (const socket of this.#sockets) socket.destroy();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #serve(socket: Socket): void {
    let rest: Buffer = Buffer.alloc(0);
    this.#sockets.add(socket);
    socket.on('close', () => this.#sockets.delete(socket));
    socket.on('error', () => socket.destroy());
    socket.on('data', (chunk: Buffer) => {
      rest = Buffer.concat([rest, chunk]);
      while (rest.length >= HEADER && rest.length >= rest.readInt32LE(0)) {
        const message = rest.subarray(0, rest.readInt32LE(0));
        rest = rest.subarray(message.length);
        this.#receive(socket, message);
      }
    });
  }

  #receive(socket: Socket, message: Buffer): void {
    const isQuery = message.readInt32LE(12) === OP_QUERY;
    const command = isQuery ? parseQuery(message) : parseMessage(message);
    const reply = this.#reply(command);
    if (reply === 'hang') return;
    if (reply === 'drop') return void socket.resetAndDestroy();
    socket.write(encode(reply, message.readInt32LE(4), isQuery));
  }

  #reply(command: WireCommand): WireReply {
    if (/^(hello|ismaster)$/i.test(command.name)) return this.#hello();
    this.commands.push(command);
    return this.answer(command);
  }

  #hello(): Readonly<Record<string, unknown>> {
    const { replicaSet, hello } = this.#options;
    const address = `127.0.0.1:${this.port}`;
    const member = { setName: replicaSet, hosts: [address], me: address, primary: address, setVersion: 1 };
    return {
      ok: 1,
      helloOk: true,
      isWritablePrimary: true,
      maxBsonObjectSize: 16 * 1024 * 1024,
      maxMessageSizeBytes: 48_000_000,
      maxWriteBatchSize: 100_000,
      minWireVersion: 0,
      maxWireVersion: 21,
      logicalSessionTimeoutMinutes: 30,
      ...(replicaSet === undefined ? {} : member),
      ...hello,
    };
  }
}

function parseQuery(message: Buffer): WireCommand {
  const nameEnd = message.indexOf(0, HEADER + 4);
  return commandOf(BSON.deserialize(message.subarray(nameEnd + 9)), []);
}

function parseMessage(message: Buffer): WireCommand {
  let body: BSON.Document = {};
  const documents: BSON.Document[] = [];
  for (let place = HEADER + 4; place < message.length;) {
    const kind = message.readUInt8(place);
    place += 1;
    const end = place + message.readInt32LE(place);
    if (kind === 0) {
      body = BSON.deserialize(message.subarray(place, end));
    } else {
      let at = message.indexOf(0, place + 4) + 1;
      for (; at < end; at += message.readInt32LE(at)) {
        documents.push(BSON.deserialize(message.subarray(at, at + message.readInt32LE(at))));
      }
    }
    place = end;
  }
  return commandOf(body, documents);
}

function commandOf(body: BSON.Document, documents: readonly BSON.Document[]): WireCommand {
  return { name: Object.keys(body)[0] ?? '', body, documents };
}

function encode(reply: Readonly<Record<string, unknown>>, responseTo: number, isQuery: boolean): Buffer {
  const document = BSON.serialize(reply, { ignoreUndefined: true });
  const start = Buffer.alloc(isQuery ? HEADER + 20 : HEADER + 5);
  start.writeInt32LE(start.length + document.length, 0);
  start.writeInt32LE(responseTo, 8);
  start.writeInt32LE(isQuery ? OP_REPLY : OP_MSG, 12);
  if (isQuery) start.writeInt32LE(1, HEADER + 16);
  return Buffer.concat([start, document]);
}
