import type { EventBody } from './events.ts';
import type { Random } from './random.ts';

/** On the fraud list of examples/seed/, which the platform is given. */
export const FRAUDSTERS: readonly string[] = ['mallory', 'trudy', 'crooked-craig'];

/** The others who take part in the load: few, so that lists are long and sets are full. */
export const CLIENTS: readonly string[] = Array.from({ length: 40 }, (_, number) => `client ${number}`);

const BRANCHES: readonly string[] = ['Aachen', 'Bonn', 'Köln', 'Düren', 'Essen', 'Fulda'];

const FRAUD_SHARE = 0.08;
const SELF_SHARE = 0.02;

/** Draws the body of a new write. The amount is used for no other, so that it tells the event apart. */
export function drawBody(random: Random, amount: number): EventBody {
  const someone = (): string => random.pick(random.chance(FRAUD_SHARE) ? FRAUDSTERS : CLIENTS);
  if (random.chance(0.4)) {
    const operationType = random.pick(['DEPOSIT', 'WITHDRAW'] as const);
    return { type: 'operation', client: someone(), amount, branch: random.pick(BRANCHES), operationType };
  }
  const sender = someone();
  const receiver = random.chance(SELF_SHARE) ? sender : someone();
  return { type: 'transaction', sender, receiver, amount };
}

/** Another body of the same type, as of a client that reuses a key by mistake. */
export function changeBody(body: EventBody): EventBody {
  return { ...body, amount: body.amount + CHANGED };
}

/** Amounts above this are of bodies that were changed: drawn ones are below. */
const CHANGED = 2 ** 50;
