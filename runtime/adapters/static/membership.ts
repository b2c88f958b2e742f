import type {
  Admission,
  Applicant,
  DispatcherDirectory,
  MemberDirectory,
  StopWatching,
} from '../../ports/membership.ts';

/** A worker's fixed list of dispatchers, for processes on one machine. */
export class StaticDispatcherDirectory implements DispatcherDirectory {
  readonly #uid: string;
  readonly #addresses: readonly string[];

  constructor(uid: string, addresses: readonly string[]) {
    this.#uid = uid;
    this.#addresses = addresses;
  }

  identity(): Promise<{ readonly uid: string; readonly token: string }> {
    return Promise.resolve({ uid: this.#uid, token: '' });
  }

  watch(listener: (addresses: readonly string[]) => void): StopWatching {
    listener(this.#addresses);
    return () => {};
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

/** Admits whoever asks, on the loopback interface only: there is no source of truth to ask. */
export class LoopbackMemberDirectory implements MemberDirectory {
  admit({ uid, port }: Applicant): Promise<Admission> {
    return Promise.resolve({ outcome: 'admitted', member: { uid, address: `127.0.0.1:${port}` } });
  }

  watch(): StopWatching {
    return () => {};
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
