import { Agent, type IncomingMessage, request } from 'node:http';

/** An answer that came whole. */
export interface HttpAnswer {
  readonly kind: 'answer';
  readonly status: number;
  readonly location: string | undefined;
  readonly retryAfter: string | undefined;
  /** Parsed, if it is JSON. */
  readonly body: unknown;
}

/** No answer: the connection broke, or nothing came for so long that nothing will. */
export interface NoAnswer {
  readonly kind: 'cut' | 'hung';
  readonly reason: string;
}

export interface HttpRequest {
  readonly method: 'GET' | 'POST' | 'DELETE';
  readonly path: string;
  readonly idempotencyKey?: string | undefined;
  readonly body?: object;
}

/** The platform promises an answer within 5 s; three times that allows for a slow machine. */
const HUNG_MS = 15_000;

/** Asks one server, or several that serve the same in turn, over connections that are kept open. */
export class HttpClient {
  readonly #origins: readonly URL[];
  readonly #agent: Agent;
  #turn = 0;

  constructor(origins: string | readonly string[], maxSockets = 64) {
    this.#origins = [origins].flat().map((origin) => new URL(origin));
    this.#agent = new Agent({ keepAlive: true, maxSockets, maxFreeSockets: maxSockets });
  }

  /** Never rejects. */
  ask({ method, path, idempotencyKey, body }: HttpRequest): Promise<HttpAnswer | NoAnswer> {
    const content = body === undefined ? undefined : JSON.stringify(body);
    const { hostname, port } = this.#next();
    return new Promise((resolve) => {
      const outgoing = request(
        {
          method,
          path,
          hostname,
          port,
          agent: this.#agent,
          headers: {
            ...(content === undefined
              ? {}
              : { 'content-type': 'application/json', 'content-length': Buffer.byteLength(content) }),
            ...(idempotencyKey === undefined ? {} : { 'idempotency-key': idempotencyKey }),
          },
        },
        (incoming) => void readAnswer(incoming).then(resolve),
      );
      outgoing.setTimeout(HUNG_MS, () => {
        resolve({ kind: 'hung', reason: `no answer to ${method} ${path} within ${HUNG_MS} ms` });
        outgoing.destroy();
      });
      outgoing.once('error', (error) => resolve({ kind: 'cut', reason: error.message }));
      outgoing.end(content);
    });
  }

  /** Cuts what is open. */
  close(): void {
    this.#agent.destroy();
  }

  #next(): URL {
    const origin = this.#origins[this.#turn % this.#origins.length];
    if (origin === undefined) throw new Error('there is nobody to ask');
    this.#turn += 1;
    return origin;
  }
}

function readAnswer(incoming: IncomingMessage): Promise<HttpAnswer | NoAnswer> {
  return new Promise((resolve) => {
    const chunks: Buffer[] = [];
    incoming.on('data', (chunk: Buffer) => chunks.push(chunk));
    incoming.once('error', (error) => resolve({ kind: 'cut', reason: error.message }));
    incoming.once('end', () => {
      const { location, 'retry-after': retryAfter } = incoming.headers;
      const body = parseJson(Buffer.concat(chunks).toString());
      resolve({ kind: 'answer', status: incoming.statusCode ?? 0, location, retryAfter, body });
    });
  });
}

function parseJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return text;
  }
}
