import autocannon from 'autocannon';
import { type Load, type LoadResult, REQUEST_TIMEOUT_SECONDS } from './load.ts';
import { jsonBody, seededRandom } from './random-body.ts';

// A process of its own: takes one load from its parent, answers with the result and ends.
process.once('message', (load) => {
  run(load as Load).then(
    (result) => process.send?.(result, () => process.disconnect()),
    (error: unknown) => {
      process.stderr.write(`${String(error)}\n`);
      process.exit(1);
    },
  );
});

async function run(load: Load): Promise<LoadResult> {
  const { url, connections, seconds: duration } = load;
  const before = process.cpuUsage();
  const timeout = REQUEST_TIMEOUT_SECONDS;
  const result = await autocannon({ url, connections, duration, timeout, requests: [requestOf(load)] });
  const { user, system } = process.cpuUsage(before);
  return {
    requests: result.requests.total,
    seconds: result.duration,
    p50Ms: result.latency.p50,
    p99Ms: result.latency.p99,
    // Timeouts are among the errors.
    errors: result.errors,
    non2xx: result.non2xx,
    generatorCpuSeconds: (user + system) / 1_000_000,
  };
}

function requestOf({ body, seed }: Load): autocannon.Request {
  if (body === undefined) return { method: 'GET' };
  const random = seededRandom(seed);
  return {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    setupRequest: (request) => ({ ...request, body: jsonBody(body, random) }),
  };
}
