import { beforeEach, describe, expect, test } from '@jest/globals';
import { FakeMembers } from '../../../test/helpers/fake-members.ts';
import { parkedWrite } from '../../../test/helpers/fake-parking.ts';
import { ManualClock } from '../../../test/helpers/manual-clock.ts';
import { type Codec, writeOperation } from '../../domain-kit/operation.ts';
import { failed, type Outcome } from '../../domain-kit/outcome.ts';
import { createMetrics, type Metrics } from '../../metrics.ts';
import { createResend, type Resend } from './resend.ts';

const text: Codec<string> = {
  encode: (message) => ({ finish: () => Buffer.from(message) }),
  decode: (bytes) => {
    if (bytes.length === 0) throw new Error('not a text');
    return Buffer.from(bytes).toString();
  },
};
const codecs = { request: text, response: text };
const put = writeOperation({ name: 'test.put', ...codecs, parked: true });
const move = writeOperation({ name: 'test.move', ...codecs, parked: true, key: (to) => `to ${to}` });

const WRITE = parkedWrite({
  operation: put.name,
  request: Buffer.from('body'),
  bodyHash: Buffer.from([1, 2, 253]).toString('base64url'),
});

let members: FakeMembers;
let metrics: Metrics;
let resend: Resend;
let outcome: Outcome<Uint8Array>;

beforeEach(() => {
  members = new FakeMembers();
  metrics = createMetrics();
  outcome = { verdict: 'INSERTED', response: Buffer.from('stored') };
  resend = createResend({
    members,
    operations: [put, move],
    timeoutMs: 2_000,
    clock: new ManualClock(),
    metrics,
  });
});

async function observed(): Promise<readonly unknown[]> {
  const { values } = await metrics.operations.get();
  return values.filter(({ metricName }) => metricName.endsWith('_count')).map(({ labels }) => labels);
}

test('a write is sent as it was asked for, once, with all the time that its operation may take', async () => {
  outcome = failed('LINK_LOST', 'cut', true);
  members.add('w1', () => outcome);
  members.add('w2', () => outcome);
  expect(await resend.send(WRITE)).toEqual(outcome);
  expect(members.sent).toEqual([
    {
      member: 'w1',
      name: 'test.put',
      eventId: 'key-1',
      request: Buffer.from('body'),
      bodyHash: Buffer.from([1, 2, 253]),
      timeoutMs: 5_000,
      discard: false,
    },
  ]);
  expect(await observed()).toEqual([{ operation: 'test.put', verdict: 'FAILED' }]);
});

test('a discard says so', async () => {
  outcome = { verdict: 'DISCARDED' };
  members.add('w1', () => outcome);
  expect(await resend.discard(WRITE)).toEqual(outcome);
  expect(members.sent).toMatchObject([{ name: 'test.put', eventId: 'key-1', discard: true }]);
});

test('a write with a key goes to its owner', async () => {
  members.add('w1', () => outcome);
  await resend.send({ ...WRITE, operation: move.name });
  await resend.send(WRITE);
  expect(members.wanted).toEqual([
    { operation: 'test.move', key: 'to body' },
    { operation: 'test.put', key: undefined },
  ]);
});

test('without a worker that has room, nothing is done', async () => {
  expect(await resend.send(WRITE)).toMatchObject({ cause: 'FULL', attempted: false });
  members.add('w1', () => outcome);
  members.isFull = true;
  expect(await resend.send(WRITE)).toMatchObject({ cause: 'FULL', attempted: false });
  expect(members.sent).toEqual([]);
});

test('a write of a domain that is gone is of an unknown operation, and makes no label of a metric', async () => {
  members.add('w1', () => outcome);
  const write = { ...WRITE, operation: 'casino.bet' };
  expect(await resend.send(write)).toMatchObject({
    cause: 'UNKNOWN_OPERATION',
    attempted: false,
    message: expect.stringContaining('casino.bet'),
  });
  expect(await observed()).toEqual([]);
});

describe('a write whose key cannot be read', () => {
  const broken = { ...WRITE, operation: move.name, request: new Uint8Array() };

  test('is not sent', async () => {
    members.add('w1', () => outcome);
    expect(await resend.send(broken)).toMatchObject({ cause: 'INVALID_REQUEST', attempted: false });
    expect(members.sent).toEqual([]);
  });

  test('can be given up all the same, by any worker', async () => {
    members.add('w1', () => ({ verdict: 'DISCARDED' }));
    expect(await resend.discard(broken)).toEqual({ verdict: 'DISCARDED' });
    expect(members.wanted).toEqual([{ operation: 'test.move', key: undefined }]);
  });
});
