import { type Logger, pino } from 'pino';
import type { LightMyRequestResponse } from 'fastify';
import type { Dispatch } from '../../runtime/domain-kit/domain.ts';
import type { AnyOperation } from '../../runtime/domain-kit/operation.ts';
import type { Answer as Answered, Outcome } from '../../runtime/domain-kit/outcome.ts';
import { bank } from '../../runtime/domains/bank/index.ts';
import type { Readiness } from '../../runtime/lifecycle.ts';
import { createMetrics, type Metrics } from '../../runtime/metrics.ts';
import type { Parking } from '../../runtime/parking/parking.ts';
import { createHttpServer, type HttpServer } from '../../runtime/roles/dispatcher/http-server.ts';

/** One operation that reached the dispatch. */
export interface Asked {
  readonly operation: string;
  readonly request: unknown;
  readonly eventId: string | undefined;
}

export interface BankHttp extends HttpServer {
  readonly metrics: Metrics;
  readonly asked: Asked[];
  readonly roles: Readiness[];
}

export type Answer = (asked: Asked) => Answered<unknown> | Promise<Answered<unknown>>;

export interface BankHttpOptions {
  readonly answer?: Answer;
  readonly maxInFlight?: number;
  readonly logger?: Logger;
  readonly requestTimeoutMs?: number;
  readonly parking?: Pick<Parking, 'find'>;
}

const NOW = 1_700_000_000_000;

/** What a worker would answer: writes are stored, lists are empty. */
export function storedAnswer({ operation, request, eventId }: Asked): Outcome<unknown> {
  if (operation.startsWith('bank.fetch')) {
    return { verdict: 'ANSWERED', response: { events: [], names: [], next: undefined } };
  }
  return { verdict: 'INSERTED', response: { ...(request as object), id: eventId, at: NOW } };
}

/** The dispatcher's HTTP server with the bank's routes; what they ask is answered by the test. */
export async function bankHttp(options: BankHttpOptions = {}): Promise<BankHttp> {
  const { answer = storedAnswer, maxInFlight = 100, logger = pino({ level: 'silent' }) } = options;
  const asked: Asked[] = [];
  const roles: Readiness[] = [];
  const metrics = createMetrics();
  const dispatch: Dispatch = {
    async ask<Res>({ name }: AnyOperation, request: unknown, eventId?: string): Promise<Answered<Res>> {
      const one = { operation: name, request, eventId };
      asked.push(one);
      return (await answer(one)) as Answered<Res>;
    },
  };
  const server = await createHttpServer({
    ...(options.requestTimeoutMs === undefined ? {} : { requestTimeoutMs: options.requestTimeoutMs }),
    domains: [bank],
    dispatch,
    parking: options.parking,
    roles: () => roles,
    version: '0.0.0-test',
    maxInFlight,
    logger,
    metrics,
  });
  return { ...server, metrics, asked, roles };
}

/** What matters of an answer that is a problem. */
export function problemOf(response: LightMyRequestResponse): {
  readonly status: number;
  readonly code: unknown;
  readonly type: unknown;
} {
  const body = response.json<Record<string, unknown>>();
  if (body['status'] !== response.statusCode) throw new Error('the status in the problem is another one');
  if (body['type'] !== `urn:mini-platform:error:${String(body['code'])}`)
    throw new Error('an odd problem type');
  return {
    status: response.statusCode,
    code: body['code'],
    type: response.headers['content-type'],
  };
}

export const PROBLEM_TYPE = 'application/problem+json; charset=utf-8';
