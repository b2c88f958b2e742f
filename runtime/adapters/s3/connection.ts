import http from 'node:http';
import https from 'node:https';
import { S3Client } from '@aws-sdk/client-s3';
import { TLS_EXPECTED } from './failure.ts';
import { speaksTls } from './tls-probe.ts';

/** A request to which no answer came, with the system's code for why, and nothing of what was sent. */
class NoAnswer extends Error {
  readonly code: string;

  constructor(code: string) {
    super('no answer came');
    this.name = 'NoAnswer';
    this.code = code;
  }
}

/** How the S3 service is reached. */
export interface S3Server {
  /** `http://host:port` or `https://host`. */
  readonly endpoint: string;
  /** That requests are signed for. */
  readonly region: string;
  /** Authorities to trust, PEM; undefined: the well-known ones. */
  readonly ca?: string;
  /** Undefined: what the SDK finds by itself, in the environment, shared files or the role of the machine. */
  readonly credentials: { readonly accessKeyId: string; readonly secretAccessKey: string } | undefined;
}

/** Connections at once; more calls wait for one, and for no longer than their own deadline. */
const MAX_SOCKETS = 32;
const MAX_IDLE_SOCKETS = 8;
/** Shorter than servers and what lies between keep idle connections: what they drop would fail the next call. */
const IDLE_MS = 4_000;

/** The SDK's client and the connections that it keeps. Connects when a request is made, not before. */
export class S3Connection {
  readonly client: S3Client;
  readonly #agents: readonly http.Agent[];

  constructor({ endpoint, region, ca, credentials }: S3Server) {
    const pool = {
      keepAlive: true,
      maxSockets: MAX_SOCKETS,
      maxFreeSockets: MAX_IDLE_SOCKETS,
      timeout: IDLE_MS,
    };
    const httpAgent = new http.Agent(pool);
    const httpsAgent = new https.Agent({ ...pool, ...(ca === undefined ? {} : { ca }) });
    this.#agents = [httpAgent, httpsAgent];
    this.client = new S3Client({
      endpoint,
      region,
      ...(credentials === undefined ? {} : { credentials }),
      // Every store takes the bucket in the path, AWS too; few have a name and a certificate per bucket.
      forcePathStyle: true,
      // Only the calls know what may be sent twice (calls.ts), and its timers would outlive `close`.
      maxAttempts: 1,
      // What is beyond the first S3 is for AWS alone: other stores refuse checksums in trailers, or ignore them, and
      // whole objects made of parts have none to compare. The SHA-256 of what is sent is signed, so that a store
      // refuses what was damaged on its way; what is read has its own checksum (gzip) or its size to be held against.
      requestChecksumCalculation: 'WHEN_REQUIRED',
      responseChecksumValidation: 'WHEN_REQUIRED',
      // It would take a round trip before each body; bodies here are small.
      expectContinueHeader: false,
      useFipsEndpoint: false,
      useDualstackEndpoint: false,
      followRegionRedirects: false,
      logger: SILENT,
      requestHandler: { httpAgent, httpsAgent, logger: SILENT },
    });
    const whyNoAnswer = noAnswerReason(endpoint);
    let hasAnswered = false;
    this.client.middlewareStack.add(
      (next) => async (args) => {
        try {
          const result = await next(args);
          hasAnswered = true;
          return result;
        } catch (error) {
          throw new NoAnswer(await whyNoAnswer(error, hasAnswered));
        }
      },
      // The last before the wire: what the service answers is made an error of further out.
      { step: 'deserialize', priority: 'low', name: 'noAnswer' },
    );
  }

  /** Closes connections that nobody uses: after a failure the others may be as dead as the one that failed. */
  dropIdle(): void {
    for (const { freeSockets } of this.#agents) {
      for (const socket of Object.values(freeSockets).flat()) socket?.destroy();
    }
  }

  /** Closes every connection, also those in use. */
  destroy(): void {
    this.client.destroy();
    for (const agent of this.#agents) agent.destroy();
  }
}

/** The code of an error without an answer: the system's, or TLS_EXPECTED where that is what it means. */
function noAnswerReason(endpoint: string): (error: unknown, hasAnswered: boolean) => Promise<string> {
  return async (error, hasAnswered) => {
    const { code, name } = error as { readonly code?: unknown; readonly name?: unknown };
    const isPlain = endpoint.startsWith('http:');
    // A server that has answered before is just away.
    const isDoubtful = isPlain && code === 'ECONNRESET' && !hasAnswered;
    return isDoubtful && (await speaksTls(endpoint)) ? TLS_EXPECTED : String(code ?? name);
  };
}

/** The SDK would warn on the console otherwise. What fails is told by the errors of the calls. */
const SILENT = { trace: ignore, debug: ignore, info: ignore, warn: ignore, error: ignore };

function ignore(): void {}
