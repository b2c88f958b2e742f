import { callsWithoutPoint } from './crash-points.ts';
import { planLives } from './kill-plan.ts';
import { checkToTheEnd } from './last-life.ts';
import { Lives } from './lives.ts';
import { Random } from './random.ts';
import { RunContext, type RunOptions } from './run-context.ts';
import { countAnswers, type RunResult } from './tally.ts';

/**
 * Kills a platform under load again and again, and holds what is left of it against what its clients were told, to the
 * end or to the first life after which a promise was found broken.
 */
export async function runCrashes(options: RunOptions): Promise<RunResult> {
  const { seed, kills, directory } = options;
  const startedAt = performance.now();
  const seconds = (): number => (performance.now() - startedAt) / 1000;
  const context = new RunContext(options);
  const lives = new Lives(context);
  try {
    for (const life of planLives(new Random(seed).fork('lives'))) {
      if (lives.deaths.total >= kills || context.violations.length > 0) break;
      await lives.live(life);
      tellProgress(context, lives.deaths.total, seconds());
    }
    if (context.violations.length === 0) await checkToTheEnd(context, lives);
  } finally {
    await context.close();
  }
  return {
    seed,
    directory,
    ...lives.deaths.result(),
    callsWithoutPoint: callsWithoutPoint(context.calls),
    answers: countAnswers(context.ledger),
    events: context.ledger.histories.length,
    violations: context.violations,
    seconds: seconds(),
  };
}

/** A line now and then. */
function tellProgress({ options, ledger }: RunContext, done: number, seconds: number): void {
  const { kills, progress } = options;
  if (done % (kills > 100 ? 25 : 10) !== 0) return;
  progress(`${done} of ${kills} kills, ${ledger.answered} answers, ${seconds.toFixed(0)} s`);
}
