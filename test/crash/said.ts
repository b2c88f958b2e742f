import { parseEvent } from './events.ts';
import type { HttpAnswer, NoAnswer } from './http-client.ts';
import type { Said } from './ledger.ts';

/** Takes down what an answer to a write says. `id`: the key that was sent with it, if one was. */
export function saidBy(answer: HttpAnswer | NoAnswer, id: string | undefined): Said {
  if (answer.kind !== 'answer') return answer.kind === 'cut' ? { kind: 'cut' } : odd(answer.reason);
  const { status, location, body } = answer;
  if (status === 200 || status === 201) {
    const event = parseEvent(body);
    return event === undefined ? odd(`${status} ${JSON.stringify(body)}`) : { kind: 'stored', status, event };
  }
  const eventId = id ?? textIn(body, 'id');
  if (status === 202) {
    if (location === undefined || eventId === undefined)
      return odd(`202 without Location or id: ${JSON.stringify(body)}`);
    return { kind: 'parked', location, id: eventId };
  }
  return problemSaid(answer, eventId);
}

function problemSaid({ status, retryAfter, body }: HttpAnswer, id: string | undefined): Said {
  const code = textIn(body, 'code');
  const answer = `${status} ${code ?? JSON.stringify(body)}`;
  if (status === 503 && retryAfter === undefined) return odd(`${answer} without Retry-After`);
  if (answer === '503 NOT_ATTEMPTED') return { kind: 'not-attempted' };
  if (answer === '503 OUTCOME_UNKNOWN') return { kind: 'unknown' };
  if (id === undefined) return odd(`${answer} without an id`);
  if (answer === '422 FRAUDULENT') return { kind: 'refused', id };
  if (answer === '422 IDEMPOTENCY_KEY_REUSED') return { kind: 'key-reused', id };
  if (answer === '409 EVENT_DISCARDED') return { kind: 'discarded', id };
  return odd(answer);
}

function textIn(body: unknown, field: string): string | undefined {
  if (typeof body !== 'object' || body === null) return undefined;
  const value = (body as Partial<Record<string, unknown>>)[field];
  return typeof value === 'string' ? value : undefined;
}

function odd(what: string): Said {
  return { kind: 'odd', what };
}
