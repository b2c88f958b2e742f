import type { Violation } from '../crash/check/violation.ts';
import type { Exit } from '../helpers/command.ts';
import { within } from '../helpers/eventually.ts';
import { type RoleFields, type RoleKind, RoleProcess } from '../helpers/role-processes.ts';

const LOG_TAIL = 4_000;
/** Longer than a role gives itself to drain. */
const STOP_MS = 30_000;

/**
 * A role as an orchestrator keeps it: started again at once when it was killed. Only who was killed is started again; one
 * that ends by itself is a violation, as somebody would have to help it.
 */
export class KeptRole {
  readonly name: string;
  readonly process: RoleProcess;
  readonly #report: (violation: Violation) => void;
  #kills = 0;
  #isEnding = false;

  private constructor(name: string, process: RoleProcess, report: (violation: Violation) => void) {
    this.name = name;
    this.process = process;
    this.#report = report;
  }

  /** Chooses its ports; it is started by `spawn`. */
  static async make(
    name: string,
    { kind, fields }: { readonly kind: RoleKind; readonly fields: RoleFields },
    report: (violation: Violation) => void,
  ): Promise<KeptRole> {
    return new KeptRole(name, await RoleProcess.make(kind, fields), report);
  }

  get kind(): RoleKind {
    return this.process.kind;
  }

  /** How often it was killed, and started again. */
  get kills(): number {
    return this.#kills;
  }

  /** Starts it; does not wait for anything. */
  spawn(): void {
    this.process.spawn();
    const run = this.#kills;
    void this.process.exited.then((exit) => {
      // Killed by us, then or at the end.
      if (run === this.#kills && !this.#isEnding) this.#hasEnded(exit);
    });
  }

  /** Kills it; whoever does starts it again. */
  async kill(): Promise<void> {
    this.#kills += 1;
    await this.process.kill();
  }

  /** Drains it; one that does not end well is a violation. */
  async stop(): Promise<void> {
    this.#isEnding = true;
    try {
      const exit = await within(`${this.name} has drained`, this.process.stop(), STOP_MS);
      if (exit.code !== 0) this.#hasEnded(exit);
    } catch (error) {
      const found = `${String(error)}\n${this.process.log.slice(-LOG_TAIL)}`;
      this.#report({ kind: 'process', subject: this.name, said: 'it drains when it is told to', found });
    }
  }

  /** Kills it for good. */
  async remove(): Promise<void> {
    this.#isEnding = true;
    await this.process.remove();
  }

  #hasEnded({ code, signal }: Exit): void {
    const found = `it ended with ${code ?? signal ?? 'nothing'}:\n${this.process.log.slice(-LOG_TAIL)}`;
    this.#report({ kind: 'process', subject: this.name, said: 'it runs until it is killed', found });
  }
}
