import path from 'node:path';
import { Administrator } from './administrator.ts';
import type { Ports } from './check/everything.ts';
import type { Violation } from './check/violation.ts';
import { ViolationList } from './check/violation-list.ts';
import type { SabotageOrder } from './child/orders.ts';
import { Clients } from './clients.ts';
import { HttpClient } from './http-client.ts';
import type { Life } from './kill-plan.ts';
import { fileJournal, Ledger } from './ledger.ts';
import { type Addresses, PlatformProcess } from './platform-process.ts';
import { Random } from './random.ts';
import { ReadFailure } from './reads.ts';
import { Recent } from './recent.ts';
import { PLATFORM, writeResource } from './resource.ts';

export interface RunOptions {
  readonly seed: number;
  readonly kills: number;
  /** An empty folder, for the state and what is written down. */
  readonly directory: string;
  readonly sabotage?: SabotageOrder | undefined;
  readonly progress: (line: string) => void;
}

const CLIENTS_AT_ONCE = 16;

/** What belongs to a run: who takes part, what they were told, what was found, and the platform's files. */
export class RunContext {
  readonly options: RunOptions;
  readonly ledger: Ledger;
  readonly recent: Recent;
  readonly clients: Clients;
  readonly administrator: Administrator;
  readonly #journal: ReturnType<typeof fileJournal>;
  readonly #violations = new ViolationList();
  readonly #file: string;
  readonly #stateDir: string;
  #composedLives = 0;
  #calls: readonly string[] = [];

  constructor(options: RunOptions) {
    const { seed, directory } = options;
    this.options = options;
    this.#file = path.join(directory, 'platform.yaml');
    this.#stateDir = path.join(directory, 'state');
    writeResource(this.#file);
    this.#journal = fileJournal(path.join(directory, 'journal.ndjson'));
    this.ledger = new Ledger(this.#journal.write);
    this.recent = new Recent(this.ledger);
    const shared = { ledger: this.ledger, report: (violation: Violation) => this.report([violation]) };
    const random = new Random(seed);
    this.clients = new Clients({ ...shared, random: random.fork('clients'), count: CLIENTS_AT_ONCE });
    this.administrator = new Administrator({ ...shared, random: random.fork('administrator') });
  }

  get violations(): readonly Violation[] {
    return this.#violations.all;
  }

  /** Folder of the platform's files. */
  get stateFolder(): string {
    return path.join(this.#stateDir, PLATFORM);
  }

  /** How many platforms ran so far on stores that know nothing of each other. */
  get composedLives(): number {
    return this.#composedLives;
  }

  /** Names of the calls of ports that were made by platforms that came to a peaceful end. */
  get calls(): readonly string[] {
    return this.#calls;
  }

  /** Starts the platform; without a way to be killed it meets no defect either. */
  start(life: Pick<Life, 'composed'> & Partial<Life>): PlatformProcess {
    const { sabotage, directory } = this.options;
    const { kill, composed, faults = [] } = life;
    if (composed) this.#composedLives += 1;
    const orders = {
      file: this.#file,
      stateDir: this.#stateDir,
      composed,
      faults,
      poisoned: kill !== undefined,
      ...(kill?.kind === 'point' && kill.during === 'start' ? { crashAtStart: kill.order } : {}),
      ...(sabotage === undefined ? {} : { sabotage }),
    };
    return new PlatformProcess(orders, path.join(directory, 'stderr.log'));
  }

  /** Starts a platform, works with it, and drains it. Undefined when that went wrong, which is reported. */
  async peacefully<T>(
    composed: boolean,
    work: (ports: Ports, platform: PlatformProcess) => Promise<T>,
  ): Promise<T | undefined> {
    const platform = this.start({ composed });
    const ready = await platform.ready;
    if (!('http' in ready)) {
      this.reportProcess('a start', `it ended with ${ready.code ?? 'a signal'}`, platform);
      return undefined;
    }
    const ports = connect(ready);
    try {
      const result = await work(ports, platform);
      this.#calls = [...new Set([...this.#calls, ...Object.keys((await platform.calls()) ?? {})])];
      return result;
    } catch (error) {
      if (!(error instanceof ReadFailure)) throw error;
      this.reportRead(error);
      return undefined;
    } finally {
      disconnect(ports);
      const { code, signal } = await platform.stop();
      if (code !== 0) this.reportProcess('a stop', `it ended with ${code ?? signal ?? 'nothing'}`, platform);
    }
  }

  report(violations: readonly Violation[]): void {
    this.#violations.report(violations);
  }

  reportRead(failure: ReadFailure): void {
    this.#violations.reportRead(failure);
  }

  /** Something that a process must not do. */
  reportProcess(when: string, how: string, platform: PlatformProcess): void {
    const found = `${how}${platform.killedFor === undefined ? '' : ` (${platform.killedFor})`}\n${platform.stderrTail()}`;
    this.report([{ kind: 'process', subject: when, said: 'it serves, and ends as planned', found }]);
  }

  /** Writes down what happens beside requests and answers. */
  note(what: object): void {
    this.#journal.write(JSON.stringify({ ...what, at: Date.now() }));
  }

  async close(): Promise<void> {
    await this.clients.end();
    this.#journal.close();
  }
}

export function connect({ http, admin }: Addresses): Ports {
  return { http: new HttpClient(http), admin: new HttpClient(admin) };
}

export function disconnect({ http, admin }: Ports): void {
  http.close();
  admin.close();
}
