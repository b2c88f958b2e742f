import { describe, expect, test } from '@jest/globals';
import type { HttpAnswer } from './http-client.ts';
import { saidBy } from './said.ts';

const EVENT = {
  type: 'transaction',
  id: 'e1',
  sender: 'ada',
  receiver: 'bob',
  amount: 1,
  at: '2026-01-01T00:00:00Z',
};

function answer(status: number, body: unknown, headers: Partial<HttpAnswer> = {}): HttpAnswer {
  return { kind: 'answer', status, location: undefined, retryAfter: undefined, body, ...headers };
}

describe('an answer to a write is taken down as', () => {
  test('stored, with the event that it shows', () => {
    expect(saidBy(answer(201, EVENT), 'e1')).toEqual({ kind: 'stored', status: 201, event: EVENT });
    expect(saidBy(answer(200, EVENT), undefined)).toEqual({ kind: 'stored', status: 200, event: EVENT });
  });

  test('parked, with where to ask', () => {
    const location = '/events/bank.transaction/e1';
    expect(saidBy(answer(202, { id: 'e1' }, { location }), undefined)).toEqual({
      kind: 'parked',
      location,
      id: 'e1',
    });
  });

  test('a refusal, by its code', () => {
    expect(saidBy(answer(422, { code: 'FRAUDULENT', id: 'e1' }), undefined)).toEqual({
      kind: 'refused',
      id: 'e1',
    });
    expect(saidBy(answer(422, { code: 'IDEMPOTENCY_KEY_REUSED' }), 'e1')).toEqual({
      kind: 'key-reused',
      id: 'e1',
    });
    expect(saidBy(answer(409, { code: 'EVENT_DISCARDED' }), 'e1')).toEqual({ kind: 'discarded', id: 'e1' });
    const retryAfter = '1';
    expect(saidBy(answer(503, { code: 'NOT_ATTEMPTED' }, { retryAfter }), 'e1')).toEqual({
      kind: 'not-attempted',
    });
    expect(saidBy(answer(503, { code: 'OUTCOME_UNKNOWN' }, { retryAfter }), 'e1')).toEqual({
      kind: 'unknown',
    });
  });

  test('cut, when there is none', () => {
    expect(saidBy({ kind: 'cut', reason: 'ECONNRESET' }, 'e1')).toEqual({ kind: 'cut' });
  });
});

test.each([
  ['an answer that shows no event', answer(201, { ...EVENT, amount: '1' })],
  ['a 202 that does not say where to ask', answer(202, { id: 'e1' })],
  ['a 503 without Retry-After', answer(503, { code: 'NOT_ATTEMPTED' })],
  ['an unexpected status', answer(500, { code: 'INTERNAL' })],
  ['a body that is no JSON', answer(502, '<html>')],
  ['no answer at all', { kind: 'hung', reason: 'no answer' } as const],
])('%s is odd', (_what, one) => {
  expect(saidBy(one, 'e1').kind).toBe('odd');
});
