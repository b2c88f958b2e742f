import { Agent, get } from 'node:http';

/** Times of requests in ms, sorted. */
export type Latencies = readonly number[];

/** The time that this share of the requests did not exceed, in ms. Undefined when there were none. */
export function percentile(latencies: Latencies, share: number): number | undefined {
  return latencies[Math.min(latencies.length - 1, Math.floor(latencies.length * share))];
}

/**
 * Asks one URL after the other for some seconds, over one connection, and takes the time of each. Generators of load
 * have whole milliseconds, or none of their own; this is for times that are shorter. Rejects when an answer is not 200.
 */
export async function measureGets(urls: () => string, seconds: number): Promise<Latencies> {
  const agent = new Agent({ keepAlive: true, maxSockets: 1 });
  const latencies: number[] = [];
  const end = performance.now() + seconds * 1_000;
  try {
    while (performance.now() < end) {
      const startedAt = performance.now();
      await getWhole(urls(), agent);
      latencies.push(performance.now() - startedAt);
    }
  } finally {
    agent.destroy();
  }
  return latencies.sort((a, b) => a - b);
}

function getWhole(url: string, agent: Agent): Promise<void> {
  return new Promise((resolve, reject) => {
    get(url, { agent }, (response) => {
      response.resume();
      response.once('error', reject);
      response.once('end', () => {
        if (response.statusCode === 200) resolve();
        else reject(new Error(`${url} was answered ${response.statusCode ?? 'nothing'}`));
      });
    }).once('error', reject);
  });
}
