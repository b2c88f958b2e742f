import { credentials, Server, type ServerDuplexStream, ServerCredentials } from '@grpc/grpc-js';
import { systemClock } from '../../runtime/clock.ts';
import {
  LinkServiceService,
  type OpenRequest,
  type OpenResponse,
  Verdict,
  type Welcome,
} from '../../runtime/generated/miniplatform/link/v1/link.ts';
import { bindServer } from '../../runtime/link/grpc-bind.ts';
import { LinkClient, type OutgoingOperation } from '../../runtime/link/link-client.ts';
import { LinkServer } from '../../runtime/link/link-server.ts';
import type { IncomingOperation } from '../../runtime/link/link-session.ts';
import type { LinkResult } from '../../runtime/link/pending.ts';
import { DEFAULT_LIMITS, grpcOptions, type LinkLimits } from '../../runtime/link/protocol.ts';

/** The defaults, but quick to find a fault. */
export const QUICK: LinkLimits = {
  ...DEFAULT_LIMITS,
  heartbeatMs: 50,
  deadAfterMs: 200,
  handshakeMs: 500,
  sweepMs: 10,
  deadlineMarginMs: 40,
};

/** The worker's end, with what happened to it. */
export interface TestWorker {
  readonly port: number;
  readonly links: LinkServer;
  readonly submitted: IncomingOperation[];
  readonly closed: string[];
  readonly refused: string[];
  stop(): void;
}

export interface TestWorkerOptions {
  readonly limits?: LinkLimits;
  readonly bootId?: string;
  readonly refusal?: () => string | undefined;
  /** By default each operation is answered at once with its own request. */
  readonly handle?: (operation: IncomingOperation) => void;
}

export function answered(response: Uint8Array): LinkResult {
  return { $case: 'decision', value: { verdict: Verdict.ANSWERED, reason: '', response } };
}

const echo = ({ settle, request }: IncomingOperation): void => settle(answered(request));

/** A gRPC server on loopback that serves links. */
export async function startWorker(options: TestWorkerOptions = {}): Promise<TestWorker> {
  const { limits = QUICK, bootId = 'boot-1', refusal, handle = echo } = options;
  const server = new Server(grpcOptions(limits));
  const submitted: IncomingOperation[] = [];
  const closed: string[] = [];
  const refused: string[] = [];
  const links = new LinkServer({
    clock: systemClock,
    limits,
    host: {
      uid: 'worker-1',
      bootId,
      operations: ['test.echo'],
      refusal: () => refusal?.(),
      submit: (operation) => {
        submitted.push(operation);
        handle(operation);
      },
    },
    listener: {
      onOpened: () => {},
      onClosed: (_dispatcherId, reason) => closed.push(reason),
      onRefused: (reason) => refused.push(reason),
    },
  });
  links.register(server);
  const port = await bindServer(server, '127.0.0.1:0', ServerCredentials.createInsecure());
  const stop = (): void => {
    links.close('the test is over');
    server.forceShutdown();
  };
  return { port, links, submitted, closed, refused, stop };
}

/** A worker whose frames a test writes by hand. */
export async function startRawWorker(
  onFrame: (
    frame: NonNullable<OpenRequest['frame']>,
    stream: ServerDuplexStream<OpenRequest, OpenResponse>,
  ) => void,
): Promise<{ readonly port: number; readonly stop: () => void }> {
  const server = new Server();
  server.addService(LinkServiceService, {
    open: (stream: ServerDuplexStream<OpenRequest, OpenResponse>) => {
      stream.on('data', ({ frame }: OpenRequest) => {
        if (frame !== undefined) onFrame(frame, stream);
      });
      stream.on('end', () => stream.end());
      // The other side is cut off by tests on purpose.
      stream.on('error', () => {});
    },
  });
  const port = await bindServer(server, '127.0.0.1:0', ServerCredentials.createInsecure());
  return { port, stop: () => server.forceShutdown() };
}

/** The dispatcher's end, with what happened to it. */
export interface TestLink {
  readonly client: LinkClient;
  readonly opened: Promise<Welcome>;
  readonly closed: Promise<string>;
  readonly closings: string[];
  leavings: number;
  lateReplies: number;
}

export interface DialOptions {
  readonly limits?: LinkLimits;
  /** Which start of the worker is wanted (`boot-1` where this is left out); undefined: any. */
  readonly bootId?: string | undefined;
}

export function dial(address: string, options: DialOptions = {}): TestLink {
  const { limits = QUICK } = options;
  const bootId = 'bootId' in options ? options.bootId : 'boot-1';
  const opened = Promise.withResolvers<Welcome>();
  const closed = Promise.withResolvers<string>();
  const closings: string[] = [];
  const client = new LinkClient({
    address,
    credentials: credentials.createInsecure(),
    dispatcherId: 'dispatcher-1',
    bootId,
    clock: systemClock,
    limits,
    listener: {
      onOpen: opened.resolve,
      onLeaving: () => void (link.leavings += 1),
      onClosed: (reason) => {
        closings.push(reason);
        closed.resolve(reason);
      },
      onLateReply: () => void (link.lateReplies += 1),
    },
  });
  const link: TestLink = {
    client,
    opened: opened.promise,
    closed: closed.promise,
    closings,
    leavings: 0,
    lateReplies: 0,
  };
  return link;
}

/** An operation with this text for its request. */
export function operation(text: string, timeoutMs = 5_000): OutgoingOperation {
  return {
    name: 'test.echo',
    request: new TextEncoder().encode(text),
    eventId: '',
    bodyHash: new Uint8Array(0),
    timeoutMs,
  };
}

/** The text of an answer, or the cause of a failure. */
export function textOf(result: LinkResult): string {
  return result.$case === 'decision' ? new TextDecoder().decode(result.value.response) : result.value.message;
}
