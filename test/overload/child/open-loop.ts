import { HttpClient } from '../../crash/http-client.ts';
import { type Phase, PhaseTally } from './phase-tally.ts';

/** What the generator is told on its command line, as JSON. */
export interface LoadOrders {
  readonly url: string;
  readonly phases: readonly PhaseOrder[];
}

/** Arrivals at a fixed rate, for a time. */
export interface PhaseOrder {
  readonly name: string;
  /** Arrivals per second. */
  readonly rate: number;
  readonly seconds: number;
}

/** No bound: an open loop waits for nobody. */
const MAX_SOCKETS = Infinity;
/** The load's connections are open when it begins: as many as it needs if each answer takes so long, in s. */
const CONNECTED_S = 0.5;
const OPENED_AT_ONCE = 50;

/**
 * Sends writes on a schedule, whether or not those before are answered, as many clients do that know nothing of each
 * other. Phases follow each other without a pause; resolves when everything is answered.
 */
export async function runOpenLoop({ url, phases }: LoadOrders): Promise<readonly Phase[]> {
  const http = new HttpClient(url, MAX_SOCKETS);
  await openConnections(http, Math.max(...phases.map(({ rate }) => rate)) * CONNECTED_S);
  const tallies: PhaseTally[] = [];
  const answers: Promise<void>[] = [];
  let begin = performance.now();
  for (const { name, rate, seconds } of phases) {
    const tally = new PhaseTally(name, begin);
    tallies.push(tally);
    for (let arrival = 0; arrival < rate * seconds; arrival += 1) {
      const due = begin + (arrival / rate) * 1_000;
      await until(due);
      answers.push(send(http, tally, `${name}-${arrival}`, due));
    }
    begin += seconds * 1_000;
  }
  await Promise.all(answers);
  http.close();
  return tallies.map((tally) => tally.result());
}

/**
 * Opens connections, a few at a time: Node's servers accept one connection in a turn of the event loop, so that many
 * new ones at once wait for that and not for the platform.
 */
async function openConnections(http: HttpClient, count: number): Promise<void> {
  for (let open = OPENED_AT_ONCE; open <= count; open += OPENED_AT_ONCE) {
    await Promise.all(Array.from({ length: open }, () => http.ask({ method: 'GET', path: '/healthz' })));
  }
}

/** Time counts from when the request was due, not from when the generator got round to it. */
async function send(http: HttpClient, tally: PhaseTally, id: string, due: number): Promise<void> {
  const body = { id, sender: `s${id}`, receiver: `r${id}`, amount: 1 };
  const answer = await http.ask({ method: 'POST', path: '/transaction', body });
  tally.add(answer, due, performance.now());
}

async function until(due: number): Promise<void> {
  const left = due - performance.now();
  // Behind schedule it goes on at once, but lets answers in between.
  if (left > 1) await new Promise((resolve) => setTimeout(resolve, left));
  else if (left < -1) await new Promise((resolve) => setImmediate(resolve));
}
