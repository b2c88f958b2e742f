import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { Redis } from 'ioredis';
import type { RedisCache } from '../../runtime/adapters/redis/cache.ts';
import { unique } from '../contract/waiting.ts';
import { eventually } from '../helpers/eventually.ts';
import { type RedisServer, startRedis } from '../services/redis.ts';
import { type Sentinels, startSentinels } from '../services/sentinels.ts';
import { type DerivedLoad, type FraudLoad, startDerivedLoad, startFraudLoad } from './failover-load.ts';
import { describeRedis, Opened } from './opened.ts';

const KILLS = 5;
const STOPS = 1;
const FAILOVER_MS = 40_000;
/** The Sentinels are asked every second; the rest is for a machine that is busy. */
const STALE_MS = 5_000;

describeRedis('a failover under load', () => {
  const opened = new Opened();
  let master: RedisServer;
  let replica: RedisServer;
  let sentinels: Sentinels;
  let fraud: FraudLoad;
  let derived: DerivedLoad;

  beforeEach(async () => {
    const settings = ['repl-ping-replica-period 1'];
    master = opened.add(await startRedis({ settings }), (each) => each.stop());
    replica = opened.add(await startRedis({ settings, replicaOf: master }), (each) => each.stop());
    sentinels = opened.add(await startSentinels({ master }), (each) => each.stop());
    const keyPrefix = `${unique('failover')}:`;
    const connect = (): RedisCache =>
      opened.cache({
        server: { sentinels: sentinels.addresses, masterName: sentinels.masterName, tls: false },
        keyPrefix,
      }).cache;
    fraud = opened.add(startFraudLoad(connect(), [connect(), connect()]), (each) => each.stop());
    derived = opened.add(startDerivedLoad(connect(), [connect(), connect()]), (each) => each.stop());
    await fraud.grow();
  });

  afterEach(() => opened.closeAll());

  /** Cuts the replica off by a password that nobody has: what the master does from now on it does not hear of. */
  const letReplicaLag = async (): Promise<void> => {
    await replica.command('config', 'set', 'masterauth', 'wrong');
    await master.command('client', 'kill', 'type', 'replica');
    await fraud.grow();
    const { acknowledged } = derived;
    await eventually('more is written', () => derived.acknowledged > acknowledged + 20, FAILOVER_MS);
  };

  const replicaIsMaster = (): Promise<true> =>
    eventually(
      'the replica is the master',
      async () => (await sentinels.master()) === replica.address,
      FAILOVER_MS,
    );

  /** Makes the old master a replica, as a Sentinel does it some seconds later. */
  const changePlaces = async (): Promise<void> => {
    // The Sentinels have had the wrong one written to the file, for the time after a restart.
    for (const server of [master, replica]) await server.command('config', 'set', 'masterauth', '');
    await master.command('replicaof', '127.0.0.1', String(replica.port));
    [master, replica] = [replica, master];
    await eventually(
      'the old master is a replica that has all',
      async () => (await replica.command('info', 'replication')).includes('master_link_status:up'),
      FAILOVER_MS,
    );
    // The Sentinels look at the replicas every ten seconds, or every second while they are in doubt.
    await eventually(
      'the Sentinels know it',
      async () => {
        const known = await sentinels.all[0]?.command('sentinel', 'replicas', sentinels.masterName);
        return known?.includes(`\nflags\nslave\n`);
      },
      FAILOVER_MS,
    );
  };

  /** The list grows on the new master, and everybody works with it. */
  const goesOn = async (): Promise<void> => {
    await fraud.grow();
    const { judged } = fraud;
    const { acknowledged, pages } = derived;
    await eventually(
      'all goes on',
      () => fraud.judged > judged && derived.acknowledged > acknowledged && derived.pages > pages,
      FAILOVER_MS,
    );
  };

  test(
    `of a master that is killed, ${KILLS} times, to a replica that lags: nobody who is listed is clean, nothing acknowledged is missed`,
    async () => {
      for (let kill = 0; kill < KILLS; kill++) {
        await letReplicaLag();
        await master.kill();
        await replicaIsMaster();
        await goesOn();
        await master.restart();
        await changePlaces();
      }
      await Promise.all([fraud.stop(), derived.stop()]);
      expect(fraud.wrong).toEqual([]);
      expect(derived.wrong).toEqual([]);
      // A replica that became the master had an older list, with the mark of the master before.
      expect(fraud.unknown).toBeGreaterThan(0);
    },
    KILLS * FAILOVER_MS,
  );

  /** The load goes on for longer than an old master may be believed. */
  const outlastsBelief = async (): Promise<void> => {
    const end = performance.now() + STALE_MS + 1_000;
    await eventually('time has passed', () => performance.now() > end, 2 * STALE_MS);
    await goesOn();
  };

  const neverBelievedForLong = async (): Promise<void> => {
    await Promise.all([fraud.stop(), derived.stop()]);
    expect(fraud.wrong.filter(({ afterMs }) => afterMs > STALE_MS)).toEqual([]);
  };

  test(
    'of a master that stands still and comes back: it is believed for some seconds at most',
    async () => {
      for (let stop = 0; stop < STOPS; stop++) {
        master.pause();
        await replicaIsMaster();
        await goesOn();
        master.resume();
        await outlastsBelief();
        await changePlaces();
      }
      await neverBelievedForLong();
    },
    STOPS * FAILOVER_MS,
  );

  test(
    'of a master that only its clients reach: it is believed for some seconds at most',
    async () => {
      const administrator = opened.add(new Redis(master.port), (each) => {
        each.disconnect();
        return Promise.resolve();
      });
      await keepSentinelsOut(administrator);
      await replicaIsMaster();
      await eventually(
        'nobody is connected to the old master any more',
        async () => !(await connectionsOf(administrator)).some((line) => line.includes('name=mini-platform')),
        FAILOVER_MS,
      );
      await goesOn();
      await outlastsBelief();
      await neverBelievedForLong();
    },
    2 * FAILOVER_MS,
  );
});

/** Another password keeps out whoever is not connected yet: the Sentinels, whose connections are cut. */
async function keepSentinelsOut(administrator: Redis): Promise<void> {
  const connections = await connectionsOf(administrator);
  await administrator.config('SET', 'requirepass', 'another');
  for (const line of connections.filter((each) => each.includes('name=sentinel-'))) {
    await administrator.client('KILL', 'ID', Number(/^id=(\d+)/.exec(line)?.[1]));
  }
}

async function connectionsOf(administrator: Redis): Promise<readonly string[]> {
  return String(await administrator.client('LIST')).split('\n');
}
