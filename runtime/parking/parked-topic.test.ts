import { expect, test } from '@jest/globals';
import fc from 'fast-check';
import { parkedWrite } from '../../test/helpers/local-parking.ts';
import type { LogRecord, NewRecord } from '../ports/event-log.ts';
import { changeOf, recordOf, tombstoneOf } from './parked-topic.ts';
import type { ParkedWrite } from './parked-write.ts';

const stored = ({ key, value }: NewRecord): LogRecord => ({
  partition: 0,
  offset: 0n,
  timestamp: 0,
  key,
  value,
});

test('a write comes back from its record as it went in', () => {
  const name = fc.string({ minLength: 1, unit: 'grapheme' }).filter((text) => !text.includes('\n'));
  const time = fc.nat({ max: Number.MAX_SAFE_INTEGER });
  const write: fc.Arbitrary<ParkedWrite> = fc.record({
    operation: name,
    eventId: name,
    bodyHash: name,
    request: fc.uint8Array({ maxLength: 300 }),
    state: fc.constantFrom('PARKED', 'DEAD_LETTER'),
    parkedAt: time,
    dueAt: time,
    attempts: fc.nat(),
    cause: fc.constantFrom('EXPIRED', 'KEY_REUSED', 'INTERNAL'),
    message: fc.string({ unit: 'grapheme' }),
  });
  const property = fc.property(write, (each) => {
    const { operation, eventId, bodyHash } = each;
    const expected = { ...each, request: Buffer.from(each.request) };
    expect(changeOf(stored(recordOf(each)))).toEqual({
      key: { operation, eventId, bodyHash },
      write: expected,
    });
    expect(changeOf(stored(tombstoneOf(each)))).toEqual({
      key: { operation, eventId, bodyHash },
      write: undefined,
    });
  });
  fc.assert(property);
});

test('a request that is a part of a larger buffer is stored alone', () => {
  const request = Buffer.from('before, the request, after').subarray(8, 19);
  const change = changeOf(stored(recordOf(parkedWrite(1, { request }))));
  expect(Buffer.from(change?.write?.request ?? []).toString()).toBe('the request');
});

test('a cause of a later version is read as a failure, not lost', () => {
  const record = recordOf(parkedWrite(1));
  const value = Buffer.from(
    Buffer.from(record.value ?? [])
      .toString()
      .replace('EXPIRED', 'MOON_IS_FULL'),
  );
  expect(changeOf(stored({ ...record, value }))?.write).toMatchObject({
    cause: 'INTERNAL',
    eventId: 'event-1',
  });
});

test('what is no parked write is no change, whatever it is', () => {
  const key = fc.oneof(
    fc.constant('a\nb\nc'),
    fc.constant('a\nb'),
    fc.constant('a\n\nc'),
    fc.string(),
    fc.constant(null),
  );
  const value = fc.oneof(
    fc.uint8Array(),
    fc.json().map((text) => Buffer.from(text)),
    fc.constant(
      Buffer.from('{"bodyHash":"c","request":"","state":"PARKED","cause":"","message":"","attempts":0.5}'),
    ),
  );
  const property = fc.property(key, value, (someKey, someValue) => {
    expect(changeOf(stored({ topic: '', key: someKey, value: someValue }))).toBeUndefined();
  });
  fc.assert(property);
});

test.each([{ operation: 'two\nlines' }, { eventId: '' }, { bodyHash: 'a\nb' }])(
  'a name that a key cannot hold is refused: %j',
  (more) => {
    expect(() => recordOf(parkedWrite(1, more))).toThrow('cannot name a parked write');
    expect(() => tombstoneOf(parkedWrite(1, more))).toThrow('cannot name a parked write');
  },
);
