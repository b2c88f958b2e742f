import { credentials } from '@grpc/grpc-js';
import { afterEach, describe, expect, test } from '@jest/globals';
import {
  FailureCause,
  LinkServiceClient,
  type OpenRequest,
  type OpenResponse,
  type Reply,
} from '../../runtime/generated/miniplatform/link/v1/link.ts';
import type { IncomingOperation } from '../../runtime/link/link-session.ts';
import type { LinkLimits } from '../../runtime/link/protocol.ts';
import { eventually, within } from '../helpers/eventually.ts';
import {
  answered,
  dial,
  operation,
  QUICK,
  startRawWorker,
  startWorker,
  type TestLink,
  type TestWorker,
  type TestWorkerOptions,
  textOf,
} from '../helpers/link-pair.ts';

/** Heartbeats are not the subject here: a busy machine must not end a link. */
const CALM: LinkLimits = { ...QUICK, heartbeatMs: 500, deadAfterMs: 20_000 };

describe('operations on a link', () => {
  const cleanUp: (() => void)[] = [];

  afterEach(() => {
    for (const each of cleanUp.splice(0).reverse()) each();
  });

  async function open(options: TestWorkerOptions = {}): Promise<{ worker: TestWorker; link: TestLink }> {
    const limits = options.limits ?? CALM;
    const worker = await startWorker({ ...options, limits });
    const link = dial(`127.0.0.1:${worker.port}`, { limits });
    cleanUp.push(
      () => worker.stop(),
      () => link.client.close('the test is over'),
    );
    await within('the handshake', link.opened);
    return { worker, link };
  }

  test('arrive as writes or as discards, as they were sent', async () => {
    const { worker, link } = await open();
    const sent = [
      operation('a'),
      { ...operation('b'), discard: true },
      { ...operation('c'), discard: false },
    ];
    await Promise.all(sent.map((each) => link.client.send(each)));
    expect(worker.submitted.map(({ discard }) => discard)).toEqual([false, true, false]);
  });

  test('5,000 are answered, in any order, with nothing lost or mixed up', async () => {
    // Every third answer comes a little later, so that replies overtake each other.
    const handle = ({ request, settle }: IncomingOperation): void => {
      const last = request.at(-1) ?? 0;
      if (last % 3 === 0) setTimeout(() => settle(answered(request)), last % 7);
      else settle(answered(request));
    };
    const { worker, link } = await open({ handle });
    const wrong: string[] = [];
    let sent = 0;
    const sender = async (): Promise<void> => {
      while (sent < 5_000) {
        const text = `payload ${sent}`;
        sent += 1;
        const answer = textOf(await link.client.send(operation(text)));
        if (answer !== text) wrong.push(`${text}: ${answer}`);
      }
    };
    await within('all answers', Promise.all(Array.from({ length: 500 }, sender)), 20_000);
    expect(wrong).toEqual([]);
    expect(worker.submitted).toHaveLength(5_000);
    expect(link.client.inFlight).toBe(0);
    expect(worker.links.inFlight).toBe(0);
    expect(link.lateReplies).toBe(0);
  });

  test('a full window takes no more, and takes again after an answer', async () => {
    const { worker, link } = await open({ limits: { ...CALM, window: 2 }, handle: () => {} });
    const first = link.client.send(operation('first'));
    const second = link.client.send(operation('second'));
    expect(link.client.hasRoom).toBe(false);
    expect(await link.client.send(operation('third'))).toMatchObject({
      value: { cause: FailureCause.FULL, attempted: false },
    });
    await eventually('both at the worker', () => worker.submitted.length === 2);
    for (const { settle, request } of worker.submitted) settle(answered(request));
    expect((await Promise.all([first, second])).map(textOf)).toEqual(['first', 'second']);
    expect(link.client.hasRoom).toBe(true);
  });

  test('a window is full by bytes too', async () => {
    const { link } = await open({ limits: { ...CALM, windowBytes: 1_000 }, handle: () => {} });
    void link.client.send(operation('x'.repeat(1_000)));
    expect(link.client.hasRoom).toBe(false);
  });

  test('the dispatcher keeps to the window that the worker announces', async () => {
    const worker = await startWorker({ limits: { ...CALM, window: 1 }, handle: () => {} });
    const link = dial(`127.0.0.1:${worker.port}`, { limits: CALM });
    cleanUp.push(
      () => worker.stop(),
      () => link.client.close('the test is over'),
    );
    await within('the handshake', link.opened);
    expect(link.client.window).toBe(1);
    void link.client.send(operation('first'));
    expect(link.client.hasRoom).toBe(false);
  });

  test('the worker refuses what exceeds its window, whatever the dispatcher thinks', async () => {
    const worker = await startWorker({ limits: { ...CALM, window: 1 }, handle: () => {} });
    const client = new LinkServiceClient(`127.0.0.1:${worker.port}`, credentials.createInsecure());
    const stream = client.open();
    const replies: Reply[] = [];
    stream.on('data', ({ frame }: OpenResponse) => {
      if (frame?.$case === 'replies') replies.push(...frame.value.replies);
    });
    // The end of the test cancels it.
    stream.on('error', () => {});
    cleanUp.push(
      () => worker.stop(),
      () => client.close(),
      () => stream.cancel(),
    );
    const hello = { protocolVersion: 1, dispatcherId: 'raw', bootId: '' };
    stream.write({ frame: { $case: 'hello', value: hello } });
    const operations = [1, 2].map((seq) => ({ ...operation(`${seq}`), seq, discard: false }));
    stream.write({ frame: { $case: 'operations', value: { operations } } });
    await eventually('the refusal', () => replies.length === 1);
    expect(replies).toMatchObject([
      { seq: 2, result: { $case: 'failure', value: { cause: FailureCause.FULL, attempted: false } } },
    ]);
    expect(worker.submitted).toHaveLength(1);
  });

  test('a request that is too large is refused before it is sent, and the link stays', async () => {
    const { worker, link } = await open({ limits: { ...CALM, itemBytes: 1_000 } });
    expect(await link.client.send(operation('x'.repeat(1_001)))).toMatchObject({
      value: { cause: FailureCause.INVALID_REQUEST, attempted: false },
    });
    expect(worker.submitted).toEqual([]);
    expect(textOf(await link.client.send(operation('small')))).toBe('small');
  });

  test('a request of just under the limit arrives whole', async () => {
    const { link } = await open();
    const text = 'x'.repeat(CALM.itemBytes - 100);
    expect(textOf(await link.client.send(operation(text))).length).toBe(text.length);
  });

  test('a reply that is too large becomes a failure, and the link stays', async () => {
    const limits = { ...CALM, itemBytes: 1_000 };
    const { link } = await open({
      limits,
      handle: ({ request, settle }) => settle(answered(new Uint8Array(request.length > 3 ? 1_001 : 1))),
    });
    expect(await link.client.send(operation('large'))).toMatchObject({
      value: { cause: FailureCause.REPLY_TOO_LARGE, attempted: true },
    });
    expect(await link.client.send(operation('ok'))).toMatchObject({ $case: 'decision' });
  });

  test('the first answer counts', async () => {
    const { link } = await open({
      handle: ({ settle, request }) => {
        settle(answered(request));
        settle(answered(new TextEncoder().encode('second')));
      },
    });
    expect(textOf(await link.client.send(operation('first')))).toBe('first');
    expect(textOf(await link.client.send(operation('next')))).toBe('next');
    expect(link.lateReplies).toBe(0);
  });

  test('what is sent in one turn leaves in one message', async () => {
    const batches: number[] = [];
    const raw = await startRawWorker((frame: NonNullable<OpenRequest['frame']>, stream) => {
      if (frame.$case === 'hello') {
        const welcome = { protocolVersion: 1, bootId: '', uid: 'raw', window: 1_000, operations: [] };
        stream.write({ frame: { $case: 'welcome', value: welcome } });
      }
      if (frame.$case === 'operations') batches.push(frame.value.operations.length);
    });
    const link = dial(`127.0.0.1:${raw.port}`, { bootId: undefined, limits: CALM });
    cleanUp.push(
      () => raw.stop(),
      () => link.client.close('the test is over'),
    );
    await within('the handshake', link.opened);
    for (let n = 0; n < 300; n += 1) void link.client.send(operation(`${n}`));
    await eventually('the messages', () => batches.length > 0 && batches.reduce((a, b) => a + b) === 300);
    expect(batches).toEqual([300]);
    for (let n = 0; n < CALM.batchItems + 1; n += 1) void link.client.send(operation(`${n}`));
    await eventually('the next messages', () => batches.length === 3);
    expect(batches).toEqual([300, CALM.batchItems, 1]);
  });
});
