import { type Load, type LoadResult, REQUEST_TIMEOUT_SECONDS } from './load.ts';
import { luaBody } from './random-body.ts';

const MARK = 'bench-result ';
const MICROS = 1_000_000;

/** What the script's `done` prints: times in µs, counts of wrk's summary. */
interface Summary {
  readonly requests: number;
  readonly duration: number;
  readonly p50: number;
  readonly p99: number;
  readonly socketErrors: number;
  readonly statusErrors: number;
}

/** wrk's arguments for a load. One thread: then one core is all that it can use. */
export function wrkArguments(load: Load, script: string): readonly string[] {
  const { connections, seconds, url } = load;
  const timeout = `${REQUEST_TIMEOUT_SECONDS}s`;
  return ['-t1', `-c${connections}`, `-d${seconds}s`, '--timeout', timeout, '-s', script, url];
}

/** A script that makes the bodies, if the load has them, and prints the summary as one line of JSON. */
export function wrkScript({ body, seed }: Load): string {
  return `${body === undefined ? '' : requestScript(luaBody(body), seed)}
done = function(summary, latency)
  local e = summary.errors
  io.write(string.format('${MARK}{"requests":%d,"duration":%d,"p50":%d,"p99":%d,"socketErrors":%d,"statusErrors":%d}\\n',
    summary.requests, summary.duration, latency:percentile(50), latency:percentile(99),
    e.connect + e.read + e.write + e.timeout, e.status))
end
`;
}

/** Reads what wrk and the shell's `times` printed. Throws an Error if either is missing. */
export function parseWrkOutput(output: string): LoadResult {
  const lines = output.split('\n');
  const result = lines.find((line) => line.startsWith(MARK));
  if (result === undefined) throw new Error(`wrk printed no result: ${output.trim()}`);
  const summary = JSON.parse(result.slice(MARK.length)) as Summary;
  return {
    requests: summary.requests,
    seconds: summary.duration / MICROS,
    p50Ms: summary.p50 / 1000,
    p99Ms: summary.p99 / 1000,
    errors: summary.socketErrors,
    non2xx: summary.statusErrors,
    generatorCpuSeconds: childCpuSeconds(lines),
  };
}

/** `times` (POSIX) prints user and system time of the shell, and on a second line those of its children. */
function childCpuSeconds(lines: readonly string[]): number {
  const times = lines.flatMap((line) => {
    const [, userMinutes, user, systemMinutes, system] =
      /^(\d+)m([\d.]+)s (\d+)m([\d.]+)s$/.exec(line.trim()) ?? [];
    if (system === undefined) return [];
    return [(Number(userMinutes) + Number(systemMinutes)) * 60 + Number(user) + Number(system)];
  });
  const [, children] = times;
  if (children === undefined) throw new Error('the shell printed no times of its children');
  return children;
}

function requestScript(bodyExpression: string, seed: number): string {
  return `math.randomseed(${seed})
wrk.method = 'POST'
wrk.headers['Content-Type'] = 'application/json'
request = function()
  return wrk.format(nil, nil, nil, ${bodyExpression})
end
`;
}
