import { checkAfterKill } from './check/after-kill.ts';
import type { HttpClient } from './http-client.ts';
import type { Life } from './kill-plan.ts';
import type { Exit, PlatformProcess } from './platform-process.ts';
import { ReadFailure } from './reads.ts';
import type { Gathered } from './recent.ts';
import { connect, disconnect, type RunContext } from './run-context.ts';
import { type Death, DEATHS, DeathTally } from './tally.ts';
import { FRAUDSTERS } from './writes.ts';

/** So long a process may serve without reaching the end that it was given. */
const REACH_MS = 8_000;

/** Lives and deaths of the platform, one after the other. */
export class Lives {
  readonly deaths = new DeathTally();
  readonly #context: RunContext;
  /** What the last lives have left to be checked. */
  #pending: readonly Gathered[] = [];

  constructor(context: RunContext) {
    this.#context = context;
  }

  /** One life: start, look at what the last death has left, work, die. */
  async live(life: Life): Promise<void> {
    const { clients, administrator, recent } = this.#context;
    const { kill, number } = life;
    this.#context.note({ life });
    const platform = this.#context.start(life);
    if (kill.kind === 'starting') setTimeout(() => platform.kill('starting'), kill.afterMs);
    const ready = await platform.ready;
    if ('http' in ready) {
      this.#context.note({ ready: number });
      const ports = connect(ready);
      const over = new AbortController();
      // Checks are quicker without the others; but in a rush they come back all at once.
      if (life.rush) clients.resume(ports.http);
      const administration = administrator.work(ports.admin, over.signal);
      if (await this.checkAfterKill(ports.http, platform)) this.#letDie(life, platform);
      this.#killLate(platform);
      clients.resume(ports.http);
      this.#context.note({ checked: number });
      await platform.exited;
      over.abort();
      await Promise.all([clients.pause(), administration]);
      recent.cancel();
      disconnect(ports);
    }
    this.#pending = [...this.#pending, recent.take()];
    this.#tally(life, platform, await platform.exited);
  }

  /** The cheap checks. Resolves to whether they came to their end: the platform may be dying already. */
  async checkAfterKill(http: HttpClient, platform: PlatformProcess): Promise<boolean> {
    const { ledger } = this.#context;
    const fraudsters = new Set(FRAUDSTERS);
    try {
      for (const gathered of this.#pending) {
        this.#context.report(await checkAfterKill({ http, ledger, fraudsters }, gathered));
      }
      this.#pending = [];
      return true;
    } catch (error) {
      if (!(error instanceof ReadFailure)) throw error;
      // Cut, and not dying: that is noticed when it is not dead some time later.
      if (error.cut) return false;
      platform.kill('a read failed');
      this.#context.reportRead(error);
      return false;
    }
  }

  /** From now on the platform works towards its death. */
  #letDie({ kill }: Life, platform: PlatformProcess): void {
    const { recent } = this.#context;
    switch (kill.kind) {
      case 'random':
        recent.after(kill.afterAnswers, () => platform.kill('random'));
        break;
      case 'stopping':
        recent.after(kill.afterAnswers, () => platform.killWhileDraining(kill.afterMs));
        break;
      case 'point':
        if (kill.during === 'load') platform.crashAt(kill.order);
        break;
      case 'starting':
        break;
    }
  }

  #killLate(platform: PlatformProcess): void {
    const late = setTimeout(() => {
      if (!this.#context.clients.areWorking) {
        this.#context.reportProcess('under load', 'it cut a connection', platform);
      }
      platform.kill('not reached');
    }, REACH_MS);
    void platform.exited.then(() => clearTimeout(late));
  }

  #tally(life: Life, platform: PlatformProcess, { code, signal }: Exit): void {
    const { killedFor } = platform;
    this.#context.note({ died: life.number, code, signal, killedFor });
    const death = deathOf(life, killedFor, { code, signal });
    if (death === 'drained') return;
    if (death !== undefined) {
      this.deaths.add(life, death);
      return;
    }
    const how = `it ended with ${code ?? signal ?? 'nothing'}`;
    this.#context.reportProcess(`life ${life.number}, ${JSON.stringify(life.kill)}`, how, platform);
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
