import { afterEach, describe, expect, test } from '@jest/globals';
import { FailureCause } from '../../runtime/generated/miniplatform/link/v1/link.ts';
import { eventually, within } from '../helpers/eventually.ts';
import {
  answered,
  dial,
  operation,
  QUICK,
  startWorker,
  type TestWorker,
  textOf,
} from '../helpers/link-pair.ts';

const LIMITS = { ...QUICK, heartbeatMs: 500, deadAfterMs: 20_000, handshakeMs: 5_000 };

describe('a link whose worker leaves', () => {
  let worker: TestWorker | undefined;

  afterEach(() => worker?.stop());

  test('all operations in flight are answered, then the link ends by itself', async () => {
    worker = await startWorker({ limits: LIMITS, handle: () => {} });
    const link = dial(`127.0.0.1:${worker.port}`, { limits: LIMITS });
    await within('the handshake', link.opened);
    const sent = ['a', 'b', 'c'].map((text) => link.client.send(operation(text)));
    const { submitted, links } = worker;
    await eventually('all at the worker', () => submitted.length === 3);

    links.leave();
    await eventually('the dispatcher knows', () => link.leavings === 1);
    expect(link.client.state).toBe('leaving');
    expect(link.client.hasRoom).toBe(false);
    expect(await link.client.send(operation('d'))).toMatchObject({ value: { cause: FailureCause.FULL } });
    expect(link.closings).toEqual([]);

    for (const { settle, request } of submitted) settle(answered(request));
    expect((await within('the answers', Promise.all(sent))).map(textOf)).toEqual(['a', 'b', 'c']);
    await within('the end at the worker', links.ended());
    await within('the end at the dispatcher', link.closed);
    expect(link.client.state).toBe('closed');
    expect(worker.closed).toEqual(['ended by the dispatcher']);
    expect(await link.closed).toBe('ended');
  });

  test('what was under way when the worker said so is answered too', async () => {
    worker = await startWorker({ limits: LIMITS });
    const link = dial(`127.0.0.1:${worker.port}`, { limits: LIMITS });
    await within('the handshake', link.opened);
    // In the same turn: the operation leaves the dispatcher before it has read LEAVING.
    const crossing = link.client.send(operation('crossing'));
    worker.links.leave();
    expect(textOf(await within('the answer', crossing))).toBe('crossing');
    await within('the end', link.closed);
  });

  test('an idle link ends at once', async () => {
    worker = await startWorker({ limits: LIMITS });
    const link = dial(`127.0.0.1:${worker.port}`, { limits: LIMITS });
    await within('the handshake', link.opened);
    worker.links.leave();
    await within('the end', link.closed, 2_000);
    await within('the end at the worker', worker.links.ended(), 2_000);
  });

  test('an operation that is never answered holds the link no longer than its deadline', async () => {
    worker = await startWorker({ limits: LIMITS, handle: () => {} });
    const link = dial(`127.0.0.1:${worker.port}`, { limits: LIMITS });
    await within('the handshake', link.opened);
    const stuck = link.client.send(operation('stuck', 200));
    worker.links.leave();
    expect(await within('the answer', stuck)).toMatchObject({ value: { cause: FailureCause.EXPIRED } });
    await within('the end', link.closed, 2_000);
  });

  test('a dispatcher that ends its link gets the answers in flight first', async () => {
    worker = await startWorker({ limits: LIMITS, handle: () => {} });
    const { submitted } = worker;
    const link = dial(`127.0.0.1:${worker.port}`, { limits: LIMITS });
    await within('the handshake', link.opened);
    const last = link.client.send(operation('last'));
    link.client.end();
    await eventually('it is at the worker', () => submitted.length === 1);
    for (const { settle, request } of submitted) settle(answered(request));
    expect(textOf(await within('the answer', last))).toBe('last');
    expect(await within('the end', link.closed)).toBe('ended');
    expect(link.leavings).toBe(0);
  });
});
