import type { Socket } from 'node:net';
import { away, late, refused } from './failure.ts';
import type { KafkaFailure } from './failure.ts';
import type { ApiVersions, KafkaRequest, RequestFor } from './requests.ts';
import { failureOfSocket, HUNG_UP, showAddress, tlsMismatch } from './socket.ts';
import type { Address } from './socket.ts';
import { WireReader, WireWriter } from './wire.ts';

const LENGTH_BYTES = 4;
const MAX_ANSWER_BYTES = 256 * 1024 * 1024;
/** First byte of a TLS alert; no answer is as long as it would then say. */
const TLS_ALERT = 0x15;

interface Pending {
  readonly resolve: (body: Buffer) => void;
  readonly reject: (failure: KafkaFailure) => void;
  readonly timer: NodeJS.Timeout;
  readonly flexible: boolean;
}

/**
 * One connection to one broker: requests and their answers. A request that is not answered in time ends the
 * connection, as whatever comes behind it would wait too: a broker answers in the order of the requests.
 */
export class KafkaConnection {
  readonly address: Address;
  /** What the broker speaks; nothing until it has been asked. */
  versions: ApiVersions = {};
  /** When the login runs out, by the monotonic clock, in ms. */
  expiresAt = Infinity;
  readonly #socket: Socket;
  readonly #clientId: string;
  readonly #pending = new Map<number, Pending>();
  #nextId = 0;
  #answers = 0;
  #chunks: Buffer[] = [];
  #buffered = 0;
  #wanted = LENGTH_BYTES;
  #ended: KafkaFailure | undefined;
  /** Told once, when the connection has ended; `idle`: nobody waited for an answer. */
  onEnd: (failure: KafkaFailure, idle: boolean) => void = () => {};

  constructor(socket: Socket, address: Address, clientId: string) {
    this.#socket = socket;
    this.address = address;
    this.#clientId = clientId;
    socket.on('data', (chunk: Buffer) => this.#take(chunk));
    socket.on('error', (error) => this.end(failureOfSocket(error, address)));
    socket.on('close', () => this.end(away(`${showAddress(address)}: ${HUNG_UP}`)));
  }

  get isOpen(): boolean {
    return this.#ended === undefined;
  }

  get isIdle(): boolean {
    return this.#pending.size === 0;
  }

  /** How many requests the broker has answered. */
  get answers(): number {
    return this.#answers;
  }

  /** The broker's answer. Rejects with a failure; after the time given in ms the connection ends. */
  async send<T>(request: RequestFor<T>, timeoutMs: number): Promise<T> {
    const built = request(this.versions);
    const pieces = await built.encode();
    const body = await this.#exchange(built, pieces, timeoutMs);
    return built.decode(body);
  }

  /** Ends the connection; who waits for an answer gets the failure. */
  end(failure: KafkaFailure): void {
    if (this.#ended !== undefined) return;
    this.#ended = failure;
    this.#socket.destroy();
    const pending = [...this.#pending.values()];
    this.#pending.clear();
    for (const { reject, timer } of pending) {
      clearTimeout(timer);
      reject(failure);
    }
    this.onEnd(failure, pending.length === 0);
  }

  #exchange(request: KafkaRequest<unknown>, pieces: readonly Buffer[], timeoutMs: number): Promise<Buffer> {
    return new Promise((resolve, reject) => {
      if (this.#ended !== undefined) {
        reject(this.#ended);
        return;
      }
      const id = this.#nextId;
      this.#nextId = (id + 1) & 0x7fffffff;
      const timer = setTimeout(() => {
        this.end(
          late(
            `${showAddress(this.address)} did not answer ${request.name} within ${Math.round(timeoutMs)} ms`,
          ),
        );
      }, timeoutMs);
      this.#pending.set(id, { resolve, reject, timer, flexible: request.flexible });
      this.#write(this.#header(request, id, pieces), pieces);
    });
  }

  #header(
    { apiKey, apiVersion, flexible }: KafkaRequest<unknown>,
    id: number,
    pieces: readonly Buffer[],
  ): Buffer {
    const header = new WireWriter();
    header.int32(0).int16(apiKey).int16(apiVersion).int32(id).string(this.#clientId);
    if (flexible) header.unsignedVarint(0);
    const body = pieces.reduce((sum, { length }) => sum + length, 0);
    header.patchInt32(0, header.length - LENGTH_BYTES + body);
    return header.written;
  }

  #write(header: Buffer, pieces: readonly Buffer[]): void {
    this.#socket.cork();
    this.#socket.write(header);
    for (const piece of pieces) this.#socket.write(piece);
    this.#socket.uncork();
  }

  #take(chunk: Buffer): void {
    if (this.#answers === 0 && this.#buffered === 0 && chunk[0] === TLS_ALERT) {
      this.end(tlsMismatch(this.address, false));
      return;
    }
    this.#chunks.push(chunk);
    this.#buffered += chunk.length;
    while (this.isOpen && this.#buffered >= this.#wanted) this.#takeAnswer();
  }

  #takeAnswer(): void {
    const all =
      this.#chunks.length === 1 ? (this.#chunks[0] ?? Buffer.alloc(0)) : Buffer.concat(this.#chunks);
    this.#chunks = [all];
    const length = all.readInt32BE(0);
    if (length < LENGTH_BYTES || length > MAX_ANSWER_BYTES) {
      this.end(
        refused(`${showAddress(this.address)} does not answer as Kafka does: check spec.kafka.brokers`),
      );
      return;
    }
    const end = LENGTH_BYTES + length;
    if (all.length < end) {
      this.#wanted = end;
      return;
    }
    this.#wanted = LENGTH_BYTES;
    this.#chunks = all.length === end ? [] : [all.subarray(end)];
    this.#buffered = all.length - end;
    this.#answer(all.subarray(LENGTH_BYTES, end));
  }

  #answer(message: Buffer): void {
    const header = new WireReader(message);
    const id = header.int32();
    const pending = this.#pending.get(id);
    if (pending === undefined) {
      this.end(away(`${showAddress(this.address)} answered what nobody asked`));
      return;
    }
    if (pending.flexible) header.skipTags();
    this.#pending.delete(id);
    this.#answers += 1;
    clearTimeout(pending.timer);
    pending.resolve(message.subarray(header.at));
  }
}
