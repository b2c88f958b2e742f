/** The states of a role's life, in order; STOPPED may follow on any of them. */
export type LifecycleState = 'STARTING' | 'JOINING' | 'READY' | 'DRAINING' | 'STOPPED';

/** READY and JOINING may alternate: a worker that has lost every dispatcher joins again. */
const NEXT: Readonly<Record<LifecycleState, readonly LifecycleState[]>> = {
  STARTING: ['JOINING', 'READY', 'DRAINING', 'STOPPED'],
  JOINING: ['READY', 'DRAINING', 'STOPPED'],
  READY: ['JOINING', 'DRAINING', 'STOPPED'],
  DRAINING: ['STOPPED'],
  STOPPED: [],
};

/** One role's state, with who wants to know of its changes. */
export class Lifecycle {
  readonly #listeners = new Set<(state: LifecycleState, before: LifecycleState | undefined) => void>();
  #state: LifecycleState = 'STARTING';

  get state(): LifecycleState {
    return this.#state;
  }

  /** Whether the state can be entered from the present one. */
  allows(state: LifecycleState): boolean {
    return NEXT[this.#state].includes(state);
  }

  /** Enters a state; entering the present one again does nothing. Throws on a step that does not exist. */
  enter(state: LifecycleState): void {
    if (state === this.#state) return;
    if (!this.allows(state)) throw new Error(`a role cannot go from ${this.#state} to ${state}`);
    const before = this.#state;
    this.#state = state;
    for (const listener of this.#listeners) listener(state, before);
  }

  /** Calls back now with the present state, and on every change. */
  watch(listener: (state: LifecycleState, before: LifecycleState | undefined) => void): void {
    this.#listeners.add(listener);
    listener(this.#state, undefined);
  }
}

/** What /readyz answers for one role. */
export interface Readiness {
  readonly role: string;
  readonly state: LifecycleState;
  readonly ready: boolean;
  /** Why it is not ready; undefined when it is. */
  readonly reason?: string;
}
