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

/** When a call that fails takes effect all the same: never, before its error, or later, when the test says so. */
type Effect = 'none' | 'done' | 'late';

interface Fault {
  readonly error: Error;
  readonly effect: Effect;
}

/** Faults of a port's calls, set by a test: the call rejects, after it was done or without. */
export class Faults {
  readonly #next = new Map<string, (Fault | undefined)[]>();
  readonly #broken = new Map<string, Error>();
  #late: (() => unknown)[] = [];

  /** The next call of this method rejects. `done`: it takes effect all the same, as with an answer that is lost. */
  failNext(method: string, error: Error, effect: Effect = 'none'): void {
    this.#next.set(method, [...(this.#next.get(method) ?? []), { error, effect }]);
  }

  /** The next call of this method is as it should be: a fault that is set now is one of a call after it. */
  passNext(method: string): void {
    this.#next.set(method, [...(this.#next.get(method) ?? []), undefined]);
  }

  /** Every call of this method rejects, without effect, until it is mended. */
  failAll(method: string, error: Error): void {
    this.#broken.set(method, error);
  }

  mend(method: string): void {
    this.#broken.delete(method);
  }

  /** Calls that have failed as `late` take effect now. */
  async land(): Promise<void> {
    const late = this.#late;
    this.#late = [];
    for (const call of late) await call();
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
    const broken = this.#broken.get(method);
    if (broken !== undefined) return Promise.reject(broken);
    const fault = this.#next.get(method)?.shift();
    if (fault === undefined) return call();
    if (fault.effect === 'late') this.#late.push(call);
    if (fault.effect !== 'done') return Promise.reject(fault.error);
    return Promise.resolve(call()).then(() => Promise.reject(fault.error));
  }
}
