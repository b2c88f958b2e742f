import { beforeEach, describe, expect, test } from '@jest/globals';
import { turn } from '../../test/helpers/eventually.ts';
import { type PooledWorker, WorkerPool } from './worker-pool.ts';

/** A worker that begins to join, and joins, when the test says so. */
class FakeWorker implements PooledWorker {
  readonly uid: string;
  readonly starting = Promise.withResolvers<undefined>();
  readonly joining = Promise.withResolvers<undefined>();
  joined = false;
  stopped = false;

  constructor(uid: string) {
    this.uid = uid;
  }

  async start(): Promise<void> {
    await this.starting.promise;
  }

  async ready(): Promise<void> {
    await this.joining.promise;
  }

  readiness(): ReturnType<PooledWorker['readiness']> {
    return { role: 'worker', state: 'JOINING', ready: false };
  }

  stop(): Promise<void> {
    this.stopped = true;
    this.starting.resolve(undefined);
    this.joining.resolve(undefined);
    return Promise.resolve();
  }
}

let created: FakeWorker[];
let pool: WorkerPool;

beforeEach(() => {
  created = [];
  pool = new WorkerPool({
    drainMs: 1_000,
    create: (uid) => {
      const worker = new FakeWorker(uid);
      created.push(worker);
      return worker;
    },
  });
});

describe('a worker that waits for a service', () => {
  test('holds up neither scaling nor the end', async () => {
    await pool.scale(2);
    await pool.scale(1);
    expect(created.map(({ uid, stopped }) => ({ uid, stopped }))).toEqual([
      { uid: 'worker-1', stopped: false },
      { uid: 'worker-2', stopped: true },
    ]);
    await pool.stop();
    expect(pool.size).toBe(0);
    expect(created.every(({ stopped }) => stopped)).toBe(true);
  });

  test('is waited for by who asks whether all have started', async () => {
    await pool.scale(1);
    let started = false;
    const done = pool.started().then(() => (started = true));
    await turn();
    expect(started).toBe(false);
    created[0]?.starting.resolve(undefined);
    await done;
    expect(started).toBe(true);
  });
});

test('a worker that must not run is told to who waits until all have started, or are ready', async () => {
  await pool.scale(2);
  created[1]?.starting.reject(new Error('refused'));
  await expect(pool.started()).rejects.toThrow('refused');
  await expect(pool.ready(60_000)).rejects.toThrow('refused');
});

test('none is started any more when the pool has stopped', async () => {
  await pool.stop();
  await pool.scale(3);
  expect(created).toEqual([]);
});
