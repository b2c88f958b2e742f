import type { OverloadResult } from './overload-run.ts';

/** Memory that the platform may have at most: its bounds on what waits add up to far less. */
const MAX_RSS = 700_000_000;

/** What must not be, however long anything took. */
export function faultsOf({ phases, rss }: OverloadResult): readonly string[] {
  return [
    ...phases.flatMap(({ name, answers, withoutRetryAfter }) => [
      ...Object.entries(answers)
        .filter(([answer]) => !/^(2\d\d|503 .*)$/.test(answer))
        .map(([answer, count]) => `${name}: ${count} requests were answered ${answer}`),
      ...(withoutRetryAfter > 0 ? [`${name}: ${withoutRetryAfter} answers 503 had no Retry-After`] : []),
    ]),
    ...(rss !== undefined && rss.peak > MAX_RSS ? [`the platform took ${rss.peak} bytes of memory`] : []),
  ];
}
