/** A port of which only some methods are there; a test that calls another one fails with its name. */
export function fakeOf<T extends object>(methods: Partial<T>): T {
  return new Proxy(methods, {
    get(target, property) {
      if (!Reflect.has(target, property)) throw new Error(`the fake has no ${String(property)}`);
      const value: unknown = Reflect.get(target, property);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  }) as T;
}

type Effect = 'none' | 'done';

/** Faults of a port's calls, set by a test: the call rejects, after it was done or without. */
export class Faults {
  readonly #next = new Map<string, { readonly error: Error; readonly effect: Effect }[]>();

  /** The next call of this method rejects. `done`: it takes effect all the same, as with an answer that is lost. */
  failNext(method: string, error: Error, effect: Effect = 'none'): void {
    this.#next.set(method, [...(this.#next.get(method) ?? []), { error, effect }]);
  }

  /** The port with these faults in it. */
  wrap<T extends object>(port: T): T {
    return new Proxy(port, {
      get: (target, property) => {
        const value: unknown = Reflect.get(target, property);
        if (typeof value !== 'function') return value;
        return (...args: unknown[]): unknown =>
          this.#call(String(property), () => Reflect.apply(value, target, args) as unknown);
      },
    });
  }

  #call(method: string, call: () => unknown): unknown {
    const fault = this.#next.get(method)?.shift();
    if (fault === undefined) return call();
    if (fault.effect === 'none') return Promise.reject(fault.error);
    return Promise.resolve(call()).then(() => Promise.reject(fault.error));
  }
}
