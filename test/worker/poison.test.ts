import { expect, test } from '@jest/globals';
import { pino } from 'pino';
import { serveEvents } from '../../runtime/domain-kit/serve-events.ts';
import { type Codec, writeOperation } from '../../runtime/domain-kit/operation.ts';
import type { Outcome } from '../../runtime/domain-kit/outcome.ts';
import { fromWire } from '../../runtime/domain-kit/outcome-wire.ts';
import { createMetrics } from '../../runtime/metrics.ts';
import { OperationQueue } from '../../runtime/roles/worker/operation-queue.ts';
import { eventually } from '../helpers/eventually.ts';
import { FakeCache } from '../helpers/fake-cache.ts';
import { fakeDocuments, fakeEvents, fakeLog } from '../helpers/fake-stores.ts';
import { ManualClock } from '../helpers/manual-clock.ts';

const text: Codec<string> = {
  encode: (message) => ({ finish: () => Buffer.from(message) }),
  decode: (input) => Buffer.from(input).toString(),
};

const note = writeOperation({ name: 'test.note', request: text, response: text, parked: true });
const POISON = 'event-41';

/** Where the domain's code throws for the event at fault. */
const steps = ['judge', 'content', 'derive', 'respond'] as const;

test.each(steps)(
  'an event that %s throws for fails alone among 64, and each other one is stored once',
  async (step) => {
    const documents = fakeDocuments();
    const { log, records } = fakeLog();
    const clock = new ManualClock();
    const guard = (at: (typeof steps)[number], id: string): string => {
      if (at === step && id === POISON) throw new Error('a defect');
      return id;
    };
    const [served] = serveEvents(note, {
      collection: 'notes',
      ports: {
        events: fakeEvents(documents.store, log),
        documents: documents.store,
        log,
        cache: new FakeCache().port,
        clock,
        bootId: 'boot',
      },
      judge: async (notes) => {
        for (const id of notes) guard('judge', id);
        return Promise.resolve(notes.map(() => 'accept'));
      },
      content: (id) => ({ note: guard('content', id) }),
      lookup: () => ({}),
      derive: ({ id }) => (guard('derive', id) === '' ? [] : []),
      respond: ({ id }) => guard('respond', id),
    });
    if (served === undefined) throw new Error('nothing is served');
    const logger = pino({ level: 'silent' });
    const bounds = { maxWaiting: 100, maxBatchBytes: 100_000 };
    const queue = new OperationQueue({ served, clock, logger, metrics: createMetrics(), ...bounds });
    const outcomes = new Map<string, Outcome<Uint8Array>>();
    const ids = Array.from({ length: 64 }, (_, index) => `event-${index}`);
    for (const eventId of ids) {
      queue.submit({
        name: note.name,
        request: Buffer.from(eventId),
        eventId,
        bodyHash: Buffer.from(eventId),
        discard: false,
        deadline: 1_000,
        settle: (result) => outcomes.set(eventId, fromWire(result)),
      });
    }
    await eventually('all are answered', () => outcomes.size === ids.length);
    const others = ids.filter((id) => id !== POISON);
    expect(outcomes.get(POISON)).toMatchObject({ verdict: 'FAILED', cause: 'INTERNAL', attempted: true });
    for (const id of others) {
      expect(outcomes.get(id)).toMatchObject({
        verdict: expect.stringMatching(/^(INSERTED|DUPLICATED)$/) as unknown,
        response: new Uint8Array(Buffer.from(id)),
      });
    }
    expect([...documents.documents.keys()]).toEqual(expect.arrayContaining(others));
    expect(new Set(records.map(({ key }) => key))).toEqual(new Set(documents.documents.keys()));
  },
);
