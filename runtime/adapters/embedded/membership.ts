import type {
  Admission,
  Applicant,
  DispatcherDirectory,
  MemberDirectory,
  MemberListener,
  MemberRecord,
  StopWatching,
} from '../../ports/membership.ts';
import { PortError } from '../../ports/port-error.ts';

const LOOPBACK = '127.0.0.1';

type AddressListener = (addresses: readonly string[]) => void;

/** Membership of a platform whose roles run in one process: a table of workers, and one of dispatchers. */
export class EmbeddedMembership {
  /** By uid; undefined until the worker has been admitted. */
  readonly #workers = new Map<string, MemberRecord | undefined>();
  readonly #dispatchers = new Set<string>();
  readonly #memberListeners = new Set<MemberListener>();
  readonly #addressListeners = new Set<AddressListener>();

  /** Makes room for a worker, which may then join; returns its view of the dispatchers. */
  register(uid: string): DispatcherDirectory {
    if (!this.#workers.has(uid)) this.#workers.set(uid, undefined);
    const watches = new Watches();
    return {
      // Both are async so that a refusal is a rejection.
      identity: () => watches.run('membership.identity', () => ({ uid, token: '' })),
      watch: (listener) => {
        const stop = watches.add(this.#addressListeners, listener);
        listener([...this.#dispatchers]);
        return stop;
      },
      close: () => watches.close(),
    };
  }

  /** Takes a worker's place away: it is no member any more and is not admitted again. */
  unregister(uid: string): void {
    const member = this.#workers.get(uid);
    this.#workers.delete(uid);
    if (member === undefined) return;
    for (const listener of this.#memberListeners) listener.removed(uid);
  }

  /** A dispatcher's view of the members. */
  memberDirectory(): MemberDirectory {
    const watches = new Watches();
    return {
      admit: (applicant) => watches.run('membership.admit', () => this.#admit(applicant)),
      watch: (listener) => {
        const stop = watches.add(this.#memberListeners, listener);
        for (const member of this.#workers.values()) if (member !== undefined) listener.added(member);
        return stop;
      },
      close: () => watches.close(),
    };
  }

  /** Tells the workers of a dispatcher at `host:port`; returns how to withdraw it. */
  announceDispatcher(address: string): () => void {
    this.#dispatchers.add(address);
    this.#tellAddresses();
    return () => {
      if (this.#dispatchers.delete(address)) this.#tellAddresses();
    };
  }

  #admit({ uid, port }: Applicant): Admission {
    if (!this.#workers.has(uid)) {
      return { outcome: 'unauthenticated', message: `no worker ${uid} is registered in this process` };
    }
    const member: MemberRecord = { uid, address: `${LOOPBACK}:${port}` };
    const known = this.#workers.get(uid);
    if (known?.address === member.address) return { outcome: 'admitted', member: known };
    this.#workers.set(uid, member);
    for (const listener of this.#memberListeners) listener.added(member);
    return { outcome: 'admitted', member };
  }

  #tellAddresses(): void {
    const addresses = [...this.#dispatchers];
    for (const listener of this.#addressListeners) listener(addresses);
  }
}

/** The watches of one handle, which end with it. */
class Watches {
  readonly #stops = new Set<StopWatching>();
  #closed = false;

  add<Listener>(listeners: Set<Listener>, listener: Listener): StopWatching {
    if (this.#closed) return () => {};
    const stop = (): void => {
      listeners.delete(listener);
      this.#stops.delete(stop);
    };
    listeners.add(listener);
    this.#stops.add(stop);
    return stop;
  }

  run<T>(call: string, work: () => T): Promise<T> {
    if (!this.#closed) return Promise.resolve(work());
    return Promise.reject(new PortError('closed', call, 'the directory has been closed'));
  }

  close(): Promise<void> {
    this.#closed = true;
    for (const stop of this.#stops) stop();
    return Promise.resolve();
  }
}
