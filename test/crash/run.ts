import path from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { Administrator } from './administrator.ts';
import { checkAfterKill } from './check/after-kill.ts';
import {
  checkDecisionsStay,
  checkEverything,
  checkLists,
  checkNames,
  checkStores,
  type Ports,
} from './check/everything.ts';
import { checkKept, type StoredEvents } from './check/lists.ts';
import type { Violation } from './check/violation.ts';
import type { SabotageOrder } from './child/orders.ts';
import { Clients } from './clients.ts';
import { callsWithoutPoint } from './crash-points.ts';
import { changeFraudList } from './fraud-list.ts';
import { HttpClient } from './http-client.ts';
import { lastIsComposed, type Life, planLives } from './kill-plan.ts';
import { fileJournal, Ledger } from './ledger.ts';
import { type Addresses, type Exit, PlatformProcess } from './platform-process.ts';
import { Random } from './random.ts';
import { ReadFailure } from './reads.ts';
import { type Gathered, Recent } from './recent.ts';
import { PLATFORM, writeResource } from './resource.ts';
import { countAnswers, type Death, DEATHS, DeathTally, type RunResult } from './tally.ts';
import { FRAUDSTERS } from './writes.ts';

export interface RunOptions {
  readonly seed: number;
  readonly kills: number;
  /** An empty folder, for the state and what is written down. */
  readonly directory: string;
  readonly sabotage?: SabotageOrder | undefined;
  readonly progress: (line: string) => void;
}

const CLIENTS_AT_ONCE = 16;
/** So long a process may serve without reaching the crash point that it was given. */
const REACH_MS = 8_000;
/**
 * So long a platform runs for what is stored and not published yet: 15 s make a worker count as gone, and somebody
 * looks for such every 5 s, and takes care of some 10 each time; each life has two workers.
 */
const PUBLISHING_MS = 22_000;
const PUBLISHING_LIFE_MS = 500;
const PUBLISHING_ROUNDS = 3;
/** Answers of the last load, after which nobody is killed any more. */
const LAST_ANSWERS = 300;

/** Kills a platform under load again and again, and holds what is left of it against what its clients were told. */
export class CrashRun {
  readonly #options: RunOptions;
  readonly #file: string;
  readonly #stateDir: string;
  readonly #journal: ReturnType<typeof fileJournal>;
  readonly #ledger: Ledger;
  readonly #recent: Recent;
  readonly #clients: Clients;
  readonly #administrator: Administrator;
  readonly #deaths = new DeathTally();
  readonly #violations = new Map<string, Violation>();
  readonly #startedAt = performance.now();
  /** What the last lives have left to be checked. */
  #pending: readonly Gathered[] = [];
  #calls: Readonly<Record<string, number>> = {};
  #composedLives = 0;

  constructor(options: RunOptions) {
    const { seed, directory } = options;
    this.#options = options;
    this.#file = path.join(directory, 'platform.yaml');
    this.#stateDir = path.join(directory, 'state');
    this.#journal = fileJournal(path.join(directory, 'journal.ndjson'));
    this.#ledger = new Ledger(this.#journal.write);
    this.#recent = new Recent(this.#ledger);
    const shared = { ledger: this.#ledger, report: (violation: Violation) => this.#report([violation]) };
    const random = new Random(seed);
    this.#clients = new Clients({ ...shared, random: random.fork('clients'), count: CLIENTS_AT_ONCE });
    this.#administrator = new Administrator({ ...shared, random: random.fork('administrator') });
  }

  /** Runs to the end, or to the first life after which a promise was found broken. */
  async run(): Promise<RunResult> {
    const { seed, kills, directory } = this.#options;
    writeResource(this.#file);
    try {
      for (const life of planLives(new Random(seed).fork('lives'))) {
        if (this.#deaths.total >= kills || this.#violations.size > 0) break;
        await this.#live(life);
        this.#tellProgress();
      }
      if (this.#violations.size === 0) await this.#finish();
    } finally {
      await this.#clients.end();
      this.#journal.close();
    }
    return {
      seed,
      directory,
      ...this.#deaths.result(),
      callsWithoutPoint: callsWithoutPoint(this.#calls),
      answers: countAnswers(this.#ledger),
      events: this.#ledger.histories.length,
      violations: [...this.#violations.values()],
      seconds: (performance.now() - this.#startedAt) / 1000,
    };
  }

  /** One life: start, look at what the last death has left, work, die. */
  async #live(life: Life): Promise<void> {
    const { kill } = life;
    this.#journal.write(JSON.stringify({ life, at: Date.now() }));
    const platform = this.#start(life);
    if (kill.kind === 'starting') setTimeout(() => platform.kill('starting'), kill.afterMs);
    const ready = await platform.ready;
    if ('http' in ready) {
      this.#journal.write(JSON.stringify({ ready: life.number, at: Date.now() }));
      const ports = this.#connect(ready);
      const over = new AbortController();
      // Checks are quicker without the others, but they come back all at once.
      if (life.rush) this.#clients.resume(ports.http);
      const administration = this.#administrator.work(ports.admin, over.signal);
      if (await this.#checkAfterKill(ports.http, platform)) this.#letDie(life, platform);
      this.#clients.resume(ports.http);
      this.#journal.write(JSON.stringify({ checked: life.number, at: Date.now() }));
      await platform.exited;
      over.abort();
      await Promise.all([this.#clients.pause(), administration]);
      this.#recent.cancel();
      this.#disconnect(ports);
    }
    this.#pending = [...this.#pending, this.#recent.take()];
    this.#note(life, platform, await platform.exited);
  }

  #connect({ http, admin }: Addresses): Ports {
    return { http: new HttpClient(http), admin: new HttpClient(admin) };
  }

  #disconnect({ http, admin }: Ports): void {
    http.close();
    admin.close();
  }

  #start(life: Pick<Life, 'composed'> & Partial<Life>): PlatformProcess {
    const { sabotage } = this.#options;
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
    return new PlatformProcess(orders, path.join(this.#options.directory, 'stderr.log'));
  }

  /** From now on the platform works towards its death. */
  #letDie({ kill }: Life, platform: PlatformProcess): void {
    if (kill.kind === 'random') this.#recent.after(kill.afterAnswers, () => platform.kill('random'));
    if (kill.kind === 'stopping') {
      this.#recent.after(kill.afterAnswers, () => platform.killWhileDraining(kill.afterMs));
    }
    if (kill.kind === 'point' && kill.during === 'load') platform.crashAt(kill.order);
    const late = setTimeout(() => {
      if (!this.#clients.areWorking) this.#reportProcess('under load', 'it cut a connection', platform);
      platform.kill('not reached');
    }, REACH_MS);
    void platform.exited.then(() => clearTimeout(late));
  }

  /** Resolves to whether it came to its end: the platform may be dying already. */
  async #checkAfterKill(http: HttpClient, platform: PlatformProcess): Promise<boolean> {
    const fraudsters = new Set(FRAUDSTERS);
    try {
      for (const gathered of this.#pending) {
        this.#report(await checkAfterKill({ http, ledger: this.#ledger, fraudsters }, gathered));
      }
      this.#pending = [];
      return true;
    } catch (error) {
      if (!(error instanceof ReadFailure)) throw error;
      // Cut, and not dying: that is noted when it is dead.
      if (error.cut) return false;
      platform.kill('a read failed');
      this.#report([{ kind: 'odd-answer', subject: 'a read', said: 'answered', found: error.message }]);
      return false;
    }
  }

  #note(life: Life, platform: PlatformProcess, { code, signal }: Exit): void {
    const { killedFor } = platform;
    this.#journal.write(JSON.stringify({ died: life.number, at: Date.now(), code, signal, killedFor }));
    const death = deathOf(life, killedFor, { code, signal });
    if (death === 'drained') return;
    if (death !== undefined) {
      this.#deaths.add(life, death);
      return;
    }
    const how = killedFor ?? `it ended with ${code ?? signal ?? 'nothing'}`;
    this.#reportProcess(`life ${life.number}, ${JSON.stringify(life.kill)}`, how, platform);
  }

  /** Without kills: bring everything to its end, and look at all of it, also after a last start. */
  async #finish(): Promise<void> {
    const { progress, seed } = this.#options;
    progress('The last life: everything is brought to a decision and checked ...');
    const composed = lastIsComposed(new Random(seed));
    const found = await this.#peacefully(composed, async (ports, platform) => {
      this.#clients.resume(ports.http);
      await this.#checkAfterKill(ports.http, platform);
      await this.#answers(LAST_ANSWERS);
      await this.#clients.pause();
      return checkEverything(ports, this.#ledger);
    });
    if (found === undefined) return;
    this.#report(found.violations);
    progress('Started once more, with another fraud list, to see that it all is still there ...');
    await changeFraudList(path.join(this.#stateDir, PLATFORM));
    // Composed: what was stored and not published is published by those who come after.
    await this.#peacefully(true, async ({ http }, platform) => {
      const again = await checkLists(http, this.#ledger);
      this.#report([...again.violations, ...checkKept(found.stored, again.stored, 'before the last stop')]);
      this.#report(await checkNames(http, this.#ledger, again.stored));
      this.#report(await checkDecisionsStay(http, this.#ledger));
      this.#calls = (await platform.calls()) ?? {};
    });
    await this.#checkStores(found.stored);
  }

  /** What is not published or archived yet has some time to be, as long as it is not what was acknowledged. */
  async #checkStores(stored: StoredEvents): Promise<void> {
    const directory = path.join(this.#stateDir, PLATFORM);
    for (let round = 1; ; round += 1) {
      const { late, violations } = await checkStores(directory, this.#ledger, stored);
      this.#report(violations);
      if (late.length === 0) return;
      if (round > PUBLISHING_ROUNDS) this.#report(late);
      if (this.#violations.size > 0) return;
      const ms = PUBLISHING_MS + PUBLISHING_LIFE_MS * this.#composedLives;
      this.#options.progress(
        `${late.length} are not in the log or the archive yet: ${ms / 1_000} s for them ...`,
      );
      await this.#peacefully(true, () => sleep(ms));
    }
  }

  /** Starts a platform, works with it, and drains it. Undefined when that went wrong, which is reported. */
  async #peacefully<T>(
    composed: boolean,
    work: (ports: Ports, platform: PlatformProcess) => Promise<T>,
  ): Promise<T | undefined> {
    const platform = this.#start({ composed });
    const ready = await platform.ready;
    if (!('http' in ready)) {
      this.#reportProcess(
        'a start',
        platform.killedFor ?? `it ended with ${ready.code ?? 'a signal'}`,
        platform,
      );
      return undefined;
    }
    const ports = this.#connect(ready);
    try {
      return await work(ports, platform);
    } catch (error) {
      if (!(error instanceof ReadFailure)) throw error;
      this.#report([{ kind: 'odd-answer', subject: 'a read', said: 'answered', found: error.message }]);
      return undefined;
    } finally {
      this.#disconnect(ports);
      const { code, signal } = await platform.stop();
      if (code !== 0)
        this.#reportProcess('a stop', platform.killedFor ?? `${code ?? signal ?? ''}`, platform);
    }
  }

  /** Resolves when there were so many more answers, or the clients get none any more. */
  #answers(count: number): Promise<void> {
    return new Promise((resolve) => {
      const late = setTimeout(resolve, REACH_MS);
      this.#recent.after(count, () => {
        clearTimeout(late);
        resolve();
      });
    });
  }

  #reportProcess(when: string, how: string, platform: PlatformProcess): void {
    const found = `${how}\n${platform.stderrTail()}`;
    this.#report([{ kind: 'process', subject: when, said: 'killed as planned, or ended well', found }]);
  }

  #report(violations: readonly Violation[]): void {
    for (const violation of violations) {
      this.#violations.set([violation.kind, violation.subject, violation.found].join('\n'), violation);
    }
  }

  #tellProgress(): void {
    const { kills, progress } = this.#options;
    const done = this.#deaths.total;
    if (done % (kills > 100 ? 25 : 10) !== 0) return;
    const seconds = ((performance.now() - this.#startedAt) / 1000).toFixed(0);
    progress(`${done} of ${kills} kills, ${this.#ledger.answered} answers, ${seconds} s`);
  }
}

/** How a life ended; undefined when it was not as planned. */
function deathOf(
  { kill }: Life,
  killedFor: string | undefined,
  { code, signal }: Exit,
): Death | 'drained' | undefined {
  // Before it could be killed.
  if (kill.kind === 'stopping' && code === 0) return 'drained';
  if (signal !== 'SIGKILL') return undefined;
  if (killedFor === undefined) return kill.kind === 'point' ? 'point' : undefined;
  return DEATHS.find((death) => death === killedFor);
}
