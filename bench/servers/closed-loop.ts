import { createHash } from 'node:crypto';
import { v7 } from 'uuid';
import type { Clock } from '../../runtime/clock.ts';
import { TransactionRequest } from '../../runtime/generated/miniplatform/bank/v1/bank.ts';
import type { IncomingOperation } from '../../runtime/link/link-session.ts';

export interface ClosedLoop {
  /** Where operations go, as a worker's link would bring them. */
  readonly submit: (operation: IncomingOperation) => void;
  /** As many are always under way. */
  readonly inFlight: number;
  readonly seconds: number;
  readonly clock: Clock;
}

/** What a closed loop of transactions came to. */
export interface LoopResult {
  readonly requests: number;
  readonly failed: number;
  readonly seconds: number;
  readonly p50Ms: number;
  readonly p99Ms: number;
}

const OPERATION = 'bank.transaction';
const CLIENTS = 10_000;
const MAX_AMOUNT = 1_000_000;
/** As the platform's own default, `retry.deadline`. */
const DEADLINE_MS = 2_000;

/** Keeps so many transactions under way for some seconds, each with an id of its own, and waits for the last ones. */
export async function runClosedLoop({ submit, inFlight, seconds, clock }: ClosedLoop): Promise<LoopResult> {
  const latencies: number[] = [];
  let failed = 0;
  const startedAt = clock.monotonic();
  const endsAt = startedAt + seconds * 1_000;
  const one = (): Promise<void> =>
    new Promise((resolve) => {
      const sentAt = clock.monotonic();
      submit({
        ...randomTransaction(),
        name: OPERATION,
        discard: false,
        deadline: sentAt + DEADLINE_MS,
        settle: (result) => {
          latencies.push(clock.monotonic() - sentAt);
          if (result.$case === 'failure') failed += 1;
          resolve();
        },
      });
    });
  const lane = async (): Promise<void> => {
    while (clock.monotonic() < endsAt) await one();
  };
  await Promise.all(Array.from({ length: inFlight }, lane));
  const took = (clock.monotonic() - startedAt) / 1_000;
  latencies.sort((a, b) => a - b);
  const at = (share: number): number => latencies[Math.floor((latencies.length - 1) * share)] ?? 0;
  return { requests: latencies.length, failed, seconds: took, p50Ms: at(0.5), p99Ms: at(0.99) };
}

function randomTransaction(): Pick<IncomingOperation, 'request' | 'eventId' | 'bodyHash'> {
  const client = (): string => `c${Math.floor(Math.random() * CLIENTS)}`;
  const request = TransactionRequest.encode({
    sender: client(),
    receiver: client(),
    amount: 1 + Math.floor(Math.random() * MAX_AMOUNT),
  }).finish();
  const bodyHash = createHash('sha256').update(OPERATION).update(request).digest();
  return { request, eventId: v7(), bodyHash };
}
