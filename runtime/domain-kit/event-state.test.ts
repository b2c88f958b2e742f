import { beforeEach, expect, test } from '@jest/globals';
import { FakeCache } from '../../test/helpers/fake-cache.ts';
import { type FakeDocuments, fakeDocuments, fakeEvents, fakeLog } from '../../test/helpers/fake-stores.ts';
import { Faults } from '../../test/helpers/fakes.ts';
import { ManualClock } from '../../test/helpers/manual-clock.ts';
import { EventState, EventStateRequest } from '../generated/miniplatform/events/v1/events.ts';
import { PortError } from '../ports/port-error.ts';
import type { EncodedCall, ServedOperation } from './domain.ts';
import { eventStateOf } from './event-state.ts';
import { type Codec, writeOperation } from './operation.ts';
import type { Outcome } from './outcome.ts';
import { serveEvents } from './serve-events.ts';

const text: Codec<string> = {
  encode: (message) => ({ finish: () => Buffer.from(message) }),
  decode: (input) => {
    if (input[0] === 0xff) throw new Error('no text');
    return Buffer.from(input).toString();
  },
};

const note = writeOperation({ name: 'test.note', request: text, response: text, parked: true });

let faults: Faults;
let fake: FakeDocuments;
let write: ServedOperation;
let state: ServedOperation;

beforeEach(() => {
  faults = new Faults();
  fake = fakeDocuments();
  const documents = faults.wrap(fake.store);
  const { log } = fakeLog();
  const served = serveEvents(note, {
    collection: 'notes',
    ports: {
      events: fakeEvents(documents, log),
      documents,
      log,
      cache: new FakeCache().port,
      clock: new ManualClock(5),
      bootId: 'boot',
    },
    judge: (notes) =>
      Promise.resolve(notes.map((one) => (one === 'bad' ? { refuse: 'FRAUDULENT' } : 'accept'))),
    content: (one) => ({ one }),
    lookup: () => ({}),
    derive: () => [],
    respond: ({ id }) => id,
  });
  const [first, second] = served;
  if (first === undefined || second === undefined) throw new Error('two operations are served');
  write = first;
  state = second;
});

function call(eventId: string, request: string | Uint8Array, discard = false): EncodedCall {
  return { request: Buffer.from(request), eventId, bodyHash: `hash of ${eventId}`, discard };
}

async function ask(...ids: readonly string[]): Promise<readonly unknown[]> {
  const calls = ids.map((eventId) => call('', EventStateRequest.encode({ eventId }).finish()));
  return (await state.handle(calls)).map((outcome: Outcome<Uint8Array>) =>
    outcome.verdict === 'ANSWERED' ? EventState.decode(outcome.response) : outcome,
  );
}

test('a write comes with a read of what was decided', () => {
  expect([write.operation, state.operation.name]).toEqual([note, 'test.note.state']);
  expect(eventStateOf(note)).toMatchObject({ name: 'test.note.state', kind: 'read' });
});

test('the read tells of what is stored, refused and discarded, and of nothing else, in one look-up', async () => {
  await write.handle([call('e1', 'good'), call('e2', 'bad'), call('e3', '', true)]);
  expect(await ask('e1', 'e2', 'e3', 'e4')).toEqual([
    { found: true, verdict: 'INSERTED', at: 5, bodyHash: 'hash of e1' },
    { found: true, verdict: 'FRAUDULENT', at: 5, bodyHash: 'hash of e2' },
    { found: true, verdict: 'DISCARDED', at: 5, bodyHash: 'hash of e3' },
    { found: false, verdict: '', at: 0, bodyHash: '' },
  ]);
  expect(fake.lookups).toEqual([['e1', 'e2', 'e3', 'e4']]);
});

test('the read fails while the store is away', async () => {
  faults.failNext('findByIds', new PortError('unavailable', 'document-store.findByIds', 'away'));
  expect(await ask('e1')).toEqual([
    expect.objectContaining({ verdict: 'FAILED', cause: 'STORE_UNAVAILABLE' }),
  ]);
});

test('an event whose request does not decode can be discarded all the same', async () => {
  const garbage = Uint8Array.of(0xff);
  expect(await write.handle([call('e1', garbage)])).toEqual([
    expect.objectContaining({ verdict: 'FAILED', cause: 'INVALID_REQUEST', attempted: false }),
  ]);
  expect(await write.handle([call('e1', garbage, true)])).toEqual([{ verdict: 'DISCARDED' }]);
  expect(await ask('e1')).toMatchObject([{ verdict: 'DISCARDED' }]);
});
