import { deadline } from './deadline.ts';
import { Failure } from './failure.ts';
import { type Address, type DialOptions, parseAddress } from './options.ts';
import { type Opinion, Sentinel } from './sentinel.ts';

export interface SentinelsOptions {
  /** As host:port. */
  readonly sentinels: readonly string[];
  readonly masterName: string;
  readonly dial: DialOptions;
  /** Called each second with whom they name, and with the failure when they have not been able to for too long. */
  readonly onVerdict: (verdict: Address | Failure) => void;
}

const ASK_MS = 1_000;
/**
 * For so long a connection may be used although the Sentinels cannot say that its server is still the master: as they
 * are restarted one by one, say. After that a failover may have gone unseen.
 */
const GRACE_MS = 5_000;

/**
 * The Sentinels, asked every second who the master is. More than half of those listed must answer, and the one among
 * them that knows of the latest failover counts: a failover takes more than half of them, so that one who is cut off
 * together with an old master and a Sentinel is not told that it is still the master.
 */
export class Sentinels {
  readonly #options: SentinelsOptions;
  readonly #all: readonly Sentinel[];
  #cancel = (): void => {};
  #isWatching = false;
  #isClosed = false;
  #agreedAt = 0;

  constructor(options: SentinelsOptions) {
    this.#options = options;
    this.#all = options.sentinels.map(
      (address) => new Sentinel(parseAddress(address), options.masterName, options.dial),
    );
  }

  /** The master's address. Rejects with a Failure when too few Sentinels answer. */
  async locate(): Promise<Address> {
    const verdict = await this.#ask();
    if (verdict instanceof Failure) throw verdict;
    if (!this.#isWatching) this.#watch();
    return verdict;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    this.#cancel();
    await Promise.all(this.#all.map((sentinel) => sentinel.close()));
  }

  #watch(): void {
    if (this.#isClosed) return;
    this.#isWatching = true;
    this.#cancel = deadline(ASK_MS, () => {
      void this.#ask().then((verdict) => {
        const isTold = !(verdict instanceof Failure) || performance.now() - this.#agreedAt > GRACE_MS;
        if (isTold && !this.#isClosed) this.#options.onVerdict(verdict);
        this.#watch();
      });
    });
  }

  /** Resolves as soon as more than half have answered. */
  #ask(): Promise<Address | Failure> {
    return new Promise((resolve) => {
      const opinions: Opinion[] = [];
      const failures: Failure[] = [];
      const settle = (): void => {
        const verdict = this.#verdict(opinions, failures);
        if (verdict === undefined) return;
        if (!(verdict instanceof Failure)) this.#agreedAt = performance.now();
        resolve(verdict);
      };
      for (const sentinel of this.#all) {
        void sentinel.ask().then((answer) => {
          if (answer instanceof Failure) failures.push(answer);
          else opinions.push(answer);
          settle();
        });
      }
    });
  }

  #verdict(opinions: readonly Opinion[], failures: readonly Failure[]): Address | Failure | undefined {
    const count = this.#all.length;
    const enough = Math.floor(count / 2) + 1;
    if (opinions.length >= enough) {
      return opinions.reduce((best, each) => (each.epoch > best.epoch ? each : best)).master;
    }
    if (opinions.length + failures.length < count) return undefined;
    const refusals = failures.filter(({ kind }) => kind === 'refused');
    const reasons = [...refusals, ...failures.filter((failure) => !refusals.includes(failure))];
    return new Failure(
      // Where the others alone are too few, nothing changes until somebody does something.
      count - refusals.length < enough ? 'refused' : 'unavailable',
      `${opinions.length} of ${count} Sentinels tell who the master is, more than half must: ` +
        reasons.map(({ message }) => message).join('; '),
    );
  }
}
