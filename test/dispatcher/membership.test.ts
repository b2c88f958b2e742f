import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import { JoinStatus, RejectReason } from '../../runtime/generated/miniplatform/membership/v1/membership.ts';
import { PROTOCOL_VERSION } from '../../runtime/link/protocol.ts';
import type { Worker } from '../../runtime/roles/worker/worker.ts';
import { EchoPlatform, join, type RunningDispatcher } from '../helpers/echo-platform.ts';
import { eventually, within } from '../helpers/eventually.ts';

let platform: EchoPlatform;

beforeEach(() => {
  platform = new EchoPlatform();
});

afterEach(() => platform.stop());

function usable({ dispatcher }: RunningDispatcher, count: number): Promise<boolean> {
  return eventually(`${count} usable members`, () => dispatcher.usableMembers === count, 10_000);
}

function refusedFor(worker: Worker, reason: string): Promise<boolean> {
  return eventually(`the worker says ${reason}`, () => worker.readiness().reason?.includes(reason) === true);
}

async function joins({ metrics }: RunningDispatcher, outcome: string): Promise<number> {
  const { values } = await metrics.joins.get();
  return values.find(({ labels }) => labels.outcome === outcome)?.value ?? 0;
}

describe('a worker', () => {
  test('that has joined makes both sides ready, and serves', async () => {
    const one = await platform.dispatcher();
    expect(one.dispatcher.readiness()).toEqual({
      role: 'dispatcher',
      state: 'JOINING',
      ready: false,
      reason: 'no worker has joined',
    });
    const worker = await platform.worker('w1', [one.join]);
    await within('the worker is ready', worker.ready());
    expect(worker.readiness()).toEqual({ role: 'worker', state: 'READY', ready: true });
    await usable(one, 1);
    expect(one.dispatcher.readiness()).toEqual({ role: 'dispatcher', state: 'READY', ready: true });
    expect(await one.say({ text: 'hello' })).toEqual({ status: 200, text: 'hello', worker: 'w1' });
    expect(await joins(one, 'joined')).toBe(1);
  });

  test('that finds the platform full joins when another one has left', async () => {
    const one = await platform.dispatcher({ maxMembers: 1 });
    const first = await platform.worker('w1', [one.join]);
    await usable(one, 1);
    const second = await platform.worker('w2', [one.join]);
    await refusedFor(second, 'FULL');
    // The second one does not take the place of the first.
    expect(one.dispatcher.usableMembers).toBe(1);
    expect(await one.say({ text: 'hi' })).toMatchObject({ status: 200, worker: 'w1' });
    expect(first.readiness().ready).toBe(true);
    expect(second.readiness()).toMatchObject({ state: 'JOINING', ready: false });
    await first.stop(5_000);
    await within('the second is ready', second.ready(), 10_000);
    await usable(one, 1);
    expect(await one.say({ text: 'hi' })).toMatchObject({ status: 200, worker: 'w2' });
  });

  test('that is not admitted says why, and joins as soon as it is', async () => {
    const one = await platform.dispatcher();
    const admit = one.directory.decide;
    one.directory.decide = () => ({ outcome: 'unauthenticated', message: 'no such pod' });
    const worker = await platform.worker('w1', [one.join]);
    await refusedFor(worker, 'rejected, UNAUTHENTICATED: no such pod');
    one.directory.decide = () => ({ outcome: 'retry', message: 'not known yet' });
    await refusedFor(worker, 'asked to retry: not known yet');
    one.directory.decide = admit;
    await within('the worker is ready', worker.ready(), 10_000);
    expect(await joins(one, 'unauthenticated')).toBeGreaterThan(0);
    expect(await joins(one, 'retry')).toBeGreaterThan(0);
  });

  test('whose directory throws is asked to retry', async () => {
    const one = await platform.dispatcher();
    one.directory.decide = () => {
      throw new Error('the API is away');
    };
    const answer = await join(one.join, {});
    expect(answer).toMatchObject({ status: JoinStatus.RETRY, message: 'the dispatcher could not tell' });
  });

  test.each([
    ['two versions behind', { protocolVersion: PROTOCOL_VERSION + 2 }, RejectReason.INCOMPATIBLE_VERSION],
    ['without a version', { protocolVersion: 0 }, RejectReason.INCOMPATIBLE_VERSION],
    ['without a uid', { uid: '' }, RejectReason.UNAUTHENTICATED],
    ['without a boot id', { bootId: '' }, RejectReason.UNAUTHENTICATED],
    ['without a port', { port: 0 }, RejectReason.UNAUTHENTICATED],
    ['with an impossible port', { port: 70_000 }, RejectReason.UNAUTHENTICATED],
  ])('%s is rejected before the directory is asked', async (_what, request, reason) => {
    const one = await platform.dispatcher();
    expect(await join(one.join, request)).toMatchObject({ status: JoinStatus.REJECTED, reason });
    expect(one.directory.applicants).toEqual([]);
    expect(one.dispatcher.usableMembers).toBe(0);
  });

  test('of one version above is taken', async () => {
    const one = await platform.dispatcher();
    const answer = await join(one.join, { protocolVersion: PROTOCOL_VERSION + 1 });
    expect(answer.status).toBe(JoinStatus.JOINED);
  });

  test('that is only discovered is dialled, and is a member when it has joined elsewhere', async () => {
    const [one, two] = [await platform.dispatcher(), await platform.dispatcher()];
    await platform.worker('w1', [one.join]);
    await usable(one, 1);
    const port = one.directory.applicants[0]?.port ?? 0;
    two.directory.add('w1', `127.0.0.1:${port}`);
    await usable(two, 1);
    expect(await two.say({ text: 'hi' })).toMatchObject({ status: 200, worker: 'w1' });
    two.directory.remove('w1');
    await usable(two, 0);
    expect(two.dispatcher.readiness().ready).toBe(false);
    expect(one.dispatcher.usableMembers).toBe(1);
  });

  test('that could not be reached and was removed can come back at another address', async () => {
    const [one, two] = [await platform.dispatcher(), await platform.dispatcher()];
    await platform.worker('w1', [one.join]);
    await usable(one, 1);
    two.directory.add('w1', '127.0.0.1:1');
    const connecting = async (): Promise<number | undefined> =>
      (await two.metrics.members.get()).values.find(({ labels }) => labels.state === 'connecting')?.value;
    await eventually('it is dialled', async () => (await connecting()) === 1);
    two.directory.remove('w1');
    await eventually('it is forgotten', async () => (await connecting()) === 0);
    two.directory.add('w1', `127.0.0.1:${one.directory.applicants[0]?.port ?? 0}`);
    await usable(two, 1);
  });
});

describe('a worker that the directory takes away', () => {
  test('is a member again as soon as it is admitted again: it has not left', async () => {
    const one = await platform.dispatcher();
    const worker = await platform.worker('w1', [one.join]);
    await usable(one, 1);
    one.directory.remove('w1');
    await usable(one, 0);
    await usable(one, 1);
    expect(worker.readiness().ready).toBe(true);
    expect(await joins(one, 'leaving')).toBe(0);
  });
});

describe('a worker that leaves', () => {
  test('answers what it has, is sent no more, and its start cannot join again', async () => {
    const one = await platform.dispatcher();
    const gate = Promise.withResolvers<undefined>();
    const held: string[] = [];
    const worker = await platform.worker('w1', [one.join], async (text) => {
      held.push(text);
      await gate.promise;
    });
    await usable(one, 1);
    const inFlight = one.say({ text: 'last' });
    await eventually('it is at the worker', () => held.length === 1);
    const stopped = worker.stop(5_000);
    await usable(one, 0);
    expect(worker.readiness()).toMatchObject({ state: 'DRAINING', ready: false, reason: 'leaving' });
    expect(one.dispatcher.readiness().ready).toBe(false);
    expect(await one.say({ text: 'too late' })).toMatchObject({ status: 503, code: 'NOT_ATTEMPTED' });

    const { uid, bootId, port } = one.directory.applicants[0] ?? { uid: '', bootId: '', port: 0 };
    expect(await join(one.join, { uid, bootId, port })).toMatchObject({
      status: JoinStatus.REJECTED,
      reason: RejectReason.LEAVING,
    });
    gate.resolve(undefined);
    expect(await within('the answer', inFlight)).toEqual({ status: 200, text: 'last', worker: 'w1' });
    await within('the worker has stopped', stopped);
    expect(worker.readiness()).toMatchObject({ state: 'STOPPED', ready: false });
    expect(await join(one.join, { uid, bootId, port })).toMatchObject({ reason: RejectReason.LEAVING });
  });

  test('is no member any more, wherever it had joined', async () => {
    const [one, two] = [await platform.dispatcher(), await platform.dispatcher()];
    const worker = await platform.worker('w1', [one.join, two.join]);
    await usable(one, 1);
    await usable(two, 1);
    await worker.stop(5_000);
    await usable(one, 0);
    await usable(two, 0);
  });
});

describe('a dispatcher', () => {
  test('that starts again on its port gets its workers back by itself', async () => {
    const before = await platform.dispatcher();
    const worker = await platform.worker('w1', [before.join]);
    await usable(before, 1);
    await before.dispatcher.stop(5_000);
    await eventually('the worker notices', () => worker.readiness().state === 'JOINING');
    const after = await platform.dispatcher({ join: before.join });
    await usable(after, 1);
    expect(worker.readiness().ready).toBe(true);
    expect(await after.say({ text: 'again' })).toMatchObject({ status: 200, worker: 'w1' });
  });

  test('that is one of two may go: the worker stays ready', async () => {
    const [one, two] = [await platform.dispatcher(), await platform.dispatcher()];
    const worker = await platform.worker('w1', [one.join, two.join]);
    await usable(one, 1);
    await usable(two, 1);
    await one.dispatcher.stop(5_000);
    expect(worker.readiness().ready).toBe(true);
    expect(await two.say({ text: 'hi' })).toMatchObject({ status: 200 });
  });
});
