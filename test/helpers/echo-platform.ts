import { ChannelCredentials, credentials, Metadata, ServerCredentials } from '@grpc/grpc-js';
import { pino } from 'pino';
import { StaticDispatcherDirectory } from '../../runtime/adapters/static/membership.ts';
import { systemClock } from '../../runtime/clock.ts';
import {
  type JoinRequest,
  type JoinResponse,
  MembershipServiceClient,
} from '../../runtime/generated/miniplatform/membership/v1/membership.ts';
import { DEFAULT_LIMITS, PROTOCOL_VERSION } from '../../runtime/link/protocol.ts';
import { createMetrics, type Metrics } from '../../runtime/metrics.ts';
import type { Cache } from '../../runtime/ports/cache.ts';
import type { EventStore } from '../../runtime/ports/event-store.ts';
import { Dispatcher } from '../../runtime/roles/dispatcher/dispatcher.ts';
import { Worker } from '../../runtime/roles/worker/worker.ts';
import { type Echo, echoDomain, type Saying } from './echo-domain.ts';
import { fakeDocuments, fakeLog } from './fake-stores.ts';
import { fakeOf } from './fakes.ts';
import { FakeDirectory } from './fake-directory.ts';

/** The defaults, but quick to notice what goes; a busy machine must not end a link that is well. */
const LIMITS = { ...DEFAULT_LIMITS, heartbeatMs: 500, deadAfterMs: 5_000, handshakeMs: 1_000 };
const STOP_MS = 5_000;
const HOST = '127.0.0.1';

/** The members of a problem that tests look at. */
export type Answer = Partial<Echo> & { readonly status: number; readonly code?: string };

export interface RunningDispatcher {
  readonly dispatcher: Dispatcher;
  readonly directory: FakeDirectory;
  readonly metrics: Metrics;
  /** Where workers join: host and port. */
  readonly join: string;
  say(saying: Saying): Promise<Answer>;
}

export interface DispatcherSettings {
  readonly maxMembers?: number;
  /** Take this address instead of a free one. */
  readonly join?: string;
}

/** Dispatchers and workers of an echo domain in this process; `stop` ends them all. */
export class EchoPlatform {
  readonly #running = new Set<{ stop(deadlineMs: number): Promise<void> }>();

  async dispatcher({ maxMembers = 10, join }: DispatcherSettings = {}): Promise<RunningDispatcher> {
    const directory = new FakeDirectory();
    const metrics = createMetrics();
    const dispatcher: Dispatcher = new Dispatcher({
      domains: [echoDomain('none')],
      directory,
      httpHost: HOST,
      httpPort: 0,
      joinHost: HOST,
      joinPort: join === undefined ? 0 : Number(join.split(':')[1]),
      serverCredentials: ServerCredentials.createInsecure(),
      channelCredentials: ChannelCredentials.createInsecure(),
      maxMembers,
      maxInFlight: 1_000,
      limits: LIMITS,
      version: '0.0.0-test',
      roles: () => [dispatcher.readiness()],
      clock: systemClock,
      logger: pino({ level: 'silent' }),
      metrics,
    });
    this.#running.add(dispatcher);
    const bound = await dispatcher.start();
    const say = async (saying: Saying): Promise<Answer> => {
      const response = await fetch(`${bound.http.replace(/\/$/, '')}/say`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify(saying),
      });
      return { ...((await response.json()) as object), status: response.status };
    };
    return { dispatcher, directory, metrics, join: bound.join, say };
  }

  /** Starts a worker that joins these dispatchers; `hold` as in the echo domain. */
  async worker(
    uid: string,
    joins: readonly string[],
    hold?: (text: string) => Promise<void> | void,
  ): Promise<Worker> {
    const worker = new Worker({
      uid,
      domains: [echoDomain(uid, hold)],
      ports: {
        documents: fakeDocuments().store,
        log: fakeLog().log,
        cache: fakeOf<Cache>({ check: () => Promise.resolve() }),
        events: fakeOf<EventStore>({ atomic: true }),
      },
      directory: new StaticDispatcherDirectory(uid, joins),
      host: HOST,
      port: 0,
      serverCredentials: ServerCredentials.createInsecure(),
      channelCredentials: ChannelCredentials.createInsecure(),
      limits: LIMITS,
      clock: systemClock,
      logger: pino({ level: 'silent' }),
      metrics: createMetrics(),
    });
    this.#running.add(worker);
    await worker.start();
    return worker;
  }

  async stop(): Promise<void> {
    for (const each of [...this.#running].reverse()) await each.stop(STOP_MS);
    this.#running.clear();
  }
}

/** Asks to join as a worker would, with what the test makes of the request. */
export function join(address: string, request: Partial<JoinRequest>): Promise<JoinResponse> {
  const client = new MembershipServiceClient(address, credentials.createInsecure());
  const whole = { uid: 'u', bootId: 'b', port: 1, protocolVersion: PROTOCOL_VERSION, token: '', ...request };
  return new Promise<JoinResponse>((resolve, reject) => {
    client.join(whole, new Metadata(), { deadline: Date.now() + 5_000 }, (error, response) => {
      if (error === null) resolve(response);
      else reject(error);
    });
  }).finally(() => client.close());
}
