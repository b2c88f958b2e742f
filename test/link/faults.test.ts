import { afterEach, describe, expect, test } from '@jest/globals';
import { FailureCause } from '../../runtime/generated/miniplatform/link/v1/link.ts';
import type { LinkResult } from '../../runtime/link/pending.ts';
import { eventually, within } from '../helpers/eventually.ts';
import {
  answered,
  dial,
  operation,
  QUICK,
  startWorker,
  type TestLink,
  type TestWorker,
  type TestWorkerOptions,
  textOf,
} from '../helpers/link-pair.ts';
import { TcpProxy } from '../helpers/tcp-proxy.ts';

const LINK_LOST = {
  $case: 'failure',
  value: expect.objectContaining({ cause: FailureCause.LINK_LOST, attempted: true }),
};

describe('a link on a network that breaks', () => {
  const cleanUp: (() => void | Promise<void>)[] = [];

  afterEach(async () => {
    for (const each of cleanUp.splice(0).reverse()) await each();
  });

  async function open(
    options: TestWorkerOptions = {},
  ): Promise<{ worker: TestWorker; link: TestLink; proxy: TcpProxy }> {
    const worker = await startWorker(options);
    const proxy = await TcpProxy.start(worker.port);
    const link = dial(proxy.address, options.limits === undefined ? {} : { limits: options.limits });
    cleanUp.push(
      () => worker.stop(),
      () => proxy.close(),
      () => link.client.close('the test is over'),
    );
    await within('the handshake', link.opened);
    return { worker, link, proxy };
  }

  test('each operation in flight settles once as LINK_LOST when the stream is cut', async () => {
    const { worker, link, proxy } = await open({ handle: () => {} });
    const settled: LinkResult[] = [];
    const all = Array.from({ length: 20 }, (_, n) =>
      link.client.send(operation(`${n}`)).then((result) => settled.push(result)),
    );
    await eventually('all operations at the worker', () => worker.submitted.length === 20);
    proxy.cut();
    await within('the failures', Promise.all(all));
    expect(settled).toEqual(Array.from({ length: 20 }, () => LINK_LOST));
    expect(link.client.inFlight).toBe(0);
    expect(link.closings).toHaveLength(1);
    await eventually('the worker sees it', () => worker.links.links === 0);
    // What the worker answers after the cut has nowhere to go, and harms nothing.
    for (const each of worker.submitted) each.settle(answered(each.request));
    expect(settled).toHaveLength(20);
  });

  test('an operation sent after the cut is refused as not attempted', async () => {
    const { link, proxy } = await open();
    proxy.cut();
    await within('the end of the link', link.closed);
    expect(await link.client.send(operation('late'))).toMatchObject({
      $case: 'failure',
      value: { cause: FailureCause.FULL, attempted: false },
    });
  });

  test('the heartbeat finds a black hole on both sides', async () => {
    const { worker, link, proxy } = await open({ handle: () => {} });
    const lost = link.client.send(operation('lost'));
    await eventually('the operation at the worker', () => worker.submitted.length === 1);
    const from = performance.now();
    proxy.stall();
    expect(await within('the failure', lost)).toEqual(LINK_LOST);
    const took = performance.now() - from;
    expect(took).toBeGreaterThanOrEqual(QUICK.deadAfterMs - QUICK.heartbeatMs);
    expect(took).toBeLessThan(QUICK.deadAfterMs * 5);
    expect(await link.closed).toBe(`nothing heard for ${QUICK.deadAfterMs} ms`);
    await eventually('the worker gives up too', () => worker.links.links === 0);
    expect(worker.closed).toEqual([`nothing heard for ${QUICK.deadAfterMs} ms`]);
  });

  test('a slow network breaks nothing', async () => {
    const { link, proxy } = await open();
    proxy.delay(60);
    const results = await Promise.all(['a', 'b', 'c'].map((text) => link.client.send(operation(text))));
    expect(results.map(textOf)).toEqual(['a', 'b', 'c']);
    expect(link.client.state).toBe('open');
  });

  test('a connection that is never answered is given up after the handshake time', async () => {
    const worker = await startWorker();
    const proxy = await TcpProxy.start(worker.port);
    proxy.stall();
    const link = dial(proxy.address, { limits: { ...QUICK, handshakeMs: 100 } });
    cleanUp.push(
      () => worker.stop(),
      () => proxy.close(),
    );
    expect(await within('the end', link.closed)).toBe('no handshake within 100 ms');
  });

  test('a port where nobody listens ends the link', async () => {
    const worker = await startWorker();
    const address = `127.0.0.1:${worker.port}`;
    worker.stop();
    const link = dial(address);
    await within('the end', link.closed);
    expect(link.client.state).toBe('closed');
    expect(link.closings).toHaveLength(1);
  });
});

describe('deadlines', () => {
  const limits = { ...QUICK, deadAfterMs: 5_000 };

  test('a slow worker says EXPIRED before the dispatcher gives up', async () => {
    const worker = await startWorker({ limits, handle: () => {} });
    const link = dial(`127.0.0.1:${worker.port}`, { limits });
    await within('the handshake', link.opened);
    const from = performance.now();
    const result = await within('the answer', link.client.send(operation('slow', 400)));
    expect(result).toMatchObject({
      $case: 'failure',
      value: { cause: FailureCause.EXPIRED, attempted: true },
    });
    expect(performance.now() - from).toBeLessThan(400);
    // It was the worker's answer: none comes later.
    expect(worker.links.inFlight).toBe(0);
    worker.stop();
    await within('the end', link.closed);
    expect(link.lateReplies).toBe(0);
  });

  test('a reply after the deadline is counted and ignored', async () => {
    const worker = await startWorker({ limits });
    const proxy = await TcpProxy.start(worker.port);
    const link = dial(proxy.address, { limits });
    await within('the handshake', link.opened);
    proxy.stall();
    const result = await within('the answer', link.client.send(operation('held', 100)));
    expect(result).toMatchObject({
      $case: 'failure',
      value: { cause: FailureCause.EXPIRED, attempted: true },
    });
    expect(link.client.inFlight).toBe(0);
    proxy.resume();
    await eventually('the late reply', () => link.lateReplies === 1);
    expect(textOf(await link.client.send(operation('next')))).toBe('next');
    link.client.close('the test is over');
    await proxy.close();
    worker.stop();
  });
});
