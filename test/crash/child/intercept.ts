import type { RecordBatch, SubscribeOptions } from '../../../runtime/ports/event-log.ts';

/** A call of a port on its way. */
export interface PortCall {
  /** Port and method, and what it is about where that matters: `event-log.append long_term_storage`. */
  readonly name: string;
  readonly args: readonly unknown[];
}

/** Sees a call before the port does: passes it on by `proceed`, or not. */
export type Interceptor = (call: PortCall, proceed: () => unknown) => unknown;

/** A port whose every method goes through the interceptor, commits of its subscriptions too. */
export function interceptPort<P extends object>(port: P, portName: string, intercept: Interceptor): P {
  const proxy: P = new Proxy(port, {
    get(target, property) {
      const value: unknown = Reflect.get(target, property);
      if (typeof value !== 'function' || typeof property === 'symbol') return value;
      return (...args: unknown[]): unknown => {
        const call = { name: nameOf(`${portName}.${property}`, args), args };
        const passed =
          property === 'subscribe' ? args.map((options) => interceptBatches(options, intercept)) : args;
        return intercept(call, () => Reflect.apply(value, target, passed) as unknown);
      };
    },
  });
  return proxy;
}

function interceptBatches(options: unknown, intercept: Interceptor): SubscribeOptions {
  // The only argument of EventLog.subscribe.
  const subscription = options as SubscribeOptions;
  return {
    ...subscription,
    onBatch: (batch: RecordBatch) =>
      subscription.onBatch({
        ...batch,
        commit: (nextOffset) => {
          const call = { name: `event-log.commit ${batch.topic}`, args: [nextOffset] };
          return intercept(call, () => batch.commit(nextOffset)) as Promise<void>;
        },
      }),
  };
}

/** Adds the topic, the bucket, or the kind of key, where one method serves several purposes. */
function nameOf(method: string, args: readonly unknown[]): string {
  const subject = subjectOf(method, args);
  return subject === undefined ? method : `${method} ${subject}`;
}

function subjectOf(method: string, [first]: readonly unknown[]): string | undefined {
  if (method.startsWith('object-store.')) return typeof first === 'string' ? first : undefined;
  if (method.startsWith('cache.')) return cacheSubject(first);
  if (method === 'event-log.append') return textIn(first, 'topic');
  if (method === 'event-log.subscribe') return subscribed(first);
  return undefined;
}

/** Keys are `<kind>:<whose>`; the kind says enough. */
function cacheSubject(first: unknown): string | undefined {
  const key = typeof first === 'string' ? first : textIn(first, 'key');
  return key?.split(':')[0];
}

function subscribed(options: unknown): string | undefined {
  const topics: unknown = (options as { readonly topics?: unknown }).topics;
  return Array.isArray(topics) ? topics.join('+') : undefined;
}

/** A text field of the first element of a list. */
function textIn(list: unknown, field: string): string | undefined {
  const [head]: readonly unknown[] = Array.isArray(list) ? list : [];
  if (typeof head !== 'object' || head === null) return undefined;
  const value: unknown = (head as Partial<Record<string, unknown>>)[field];
  return typeof value === 'string' ? value : undefined;
}
