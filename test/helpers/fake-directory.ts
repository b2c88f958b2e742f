import type {
  Admission,
  Applicant,
  MemberDirectory,
  MemberListener,
} from '../../runtime/ports/membership.ts';

/** A source of truth for membership that a test writes. By default it admits whoever asks, on loopback. */
export class FakeDirectory implements MemberDirectory {
  readonly applicants: Applicant[] = [];
  decide: (applicant: Applicant) => Admission = ({ uid, port }) => ({
    outcome: 'admitted',
    member: { uid, address: `127.0.0.1:${port}` },
  });
  readonly #listeners = new Set<MemberListener>();

  admit(applicant: Applicant): Promise<Admission> {
    this.applicants.push(applicant);
    return Promise.resolve(this.decide(applicant));
  }

  watch(listener: MemberListener): () => void {
    this.#listeners.add(listener);
    return () => void this.#listeners.delete(listener);
  }

  /** Tells the watchers of a worker that exists. */
  add(uid: string, address: string): void {
    for (const listener of this.#listeners) listener.added({ uid, address });
  }

  /** Tells the watchers that a worker is no more. */
  remove(uid: string): void {
    for (const listener of this.#listeners) listener.removed(uid);
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}
