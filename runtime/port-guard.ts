import type { Clock } from './clock.ts';
import type { Metrics } from './metrics.ts';
import { PortError } from './ports/port-error.ts';

export interface PortGuardOptions {
  /** Name of the port in metrics and errors, for example `document-store`. */
  readonly name: string;
  /** How long any call may take, in ms. */
  readonly timeoutMs: number;
  /** How long calls may take that no request waits for, by name, in ms. */
  readonly longCalls?: Readonly<Record<string, number>> | undefined;
  readonly clock: Clock;
  readonly metrics: Pick<Metrics, 'portCalls'>;
}

/**
 * A port whose every asynchronous call is timed, counted and bounded: one that takes longer than the time-out
 * rejects with `timeout`, whatever the adapter does. Errors that are no PortError are defects and pass as they are.
 */
export function guardPort<P extends object>(port: P, options: PortGuardOptions): P {
  const guarded = new Map<string | symbol, unknown>();
  return new Proxy(port, {
    get(target, property) {
      const known = guarded.get(property);
      if (known !== undefined) return known;
      const value: unknown = Reflect.get(target, property);
      if (typeof value !== 'function' || typeof property === 'symbol') return value;
      const call = (...args: unknown[]): unknown =>
        bounded(Reflect.apply(value, target, args), property, options);
      guarded.set(property, call);
      return call;
    },
  });
}

function bounded(result: unknown, call: string, options: PortGuardOptions): unknown {
  if (!(result instanceof Promise)) return result;
  const { name, clock, metrics } = options;
  const timeoutMs = options.longCalls?.[call] ?? options.timeoutMs;
  const started = clock.monotonic();
  const finish = (outcome: string): void => {
    cancel();
    metrics.portCalls.observe((clock.monotonic() - started) / 1000, name, call, outcome);
  };
  let cancel = (): void => {};
  const timeout = new Promise<never>((_, reject) => {
    cancel = clock.after(timeoutMs, () =>
      reject(new PortError('timeout', `${name}.${call}`, `no answer within ${timeoutMs} ms`)),
    );
  });
  return Promise.race([result as Promise<unknown>, timeout]).then(
    (value) => {
      finish('ok');
      return value;
    },
    (error: unknown) => {
      finish(error instanceof PortError ? error.kind : 'defect');
      throw error;
    },
  );
}
