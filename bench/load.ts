/** A value that is drawn anew for every request. */
export type RandomField =
  /** One of `count` names: the prefix and a number from 0. */
  | { readonly kind: 'name'; readonly prefix: string; readonly count: number }
  /** A whole number from `min` to `max`, both included. */
  | { readonly kind: 'integer'; readonly min: number; readonly max: number };

/** The fields of a JSON body, in order. */
export type RandomBody = Readonly<Record<string, RandomField>>;

/** What a generator is to send: a closed loop, one request in flight on each connection. */
export interface Load {
  readonly url: string;
  readonly connections: number;
  readonly seconds: number;
  /** Makes it a POST of such bodies; without it the load is a GET. */
  readonly body?: RandomBody | undefined;
  /** Start of the random numbers: the same seed sends the same bodies, as far as one generator goes. */
  readonly seed: number;
}

/** What came back. */
export interface LoadResult {
  /** Answers of any status. */
  readonly requests: number;
  /** How long the load ran, as measured. */
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
  /** Requests without an answer: refused, cut or timed out. */
  readonly errors: number;
  /** Answers that are no success: with wrk those from status 400, with autocannon all but 2xx. */
  readonly non2xx: number;
  /** CPU time of the generator, user and system. */
  readonly generatorCpuSeconds: number;
}

/** A program that makes load. */
export interface LoadGenerator {
  readonly name: 'wrk' | 'autocannon';
  run(load: Load): Promise<LoadResult>;
}

/** A request that is not answered after this is an error: the platform promises an answer within 5 s. */
export const REQUEST_TIMEOUT_SECONDS = 6;

/** Successful answers per second. */
export function successRate({ requests, non2xx, seconds }: LoadResult): number {
  return (requests - non2xx) / seconds;
}

/** The generator's CPU time as a share of one core. Both generators use one thread, so 1 is saturated. */
export function generatorShare({ generatorCpuSeconds, seconds }: LoadResult): number {
  return generatorCpuSeconds / seconds;
}
