import type { Server } from '../services/server-process.ts';
import type { Fault } from './fault.ts';
import type { Topology } from './topology.ts';

type ServiceFault = Fault<Pick<Topology, 'services'>>;

/** A server is killed, stays away, and is started again with its data. */
function restart(
  service: 'kafka' | 'mongodb' | 's3',
  what: string,
  holdMs: readonly [number, number],
): ServiceFault {
  return {
    name: `restart-${service}`,
    what,
    holdMs,
    async inject({ services }) {
      const server: Server = services[service].server;
      await server.kill();
      return () => server.restart();
    },
  };
}

/** Back before the Sentinels notice, and empty: nothing of it is kept on disk. */
const restartRedis: ServiceFault = {
  name: 'restart-redis',
  what: 'kill -9 of the Redis master, which comes back empty before it is taken for gone',
  holdMs: [200, 1_000],
  async inject({ services }) {
    const master = await services.redis.master();
    await master.kill();
    return () => master.restart();
  },
};

/**
 * The dead master comes back, empty, when another one has taken its place. One that lives on beside the new one would be
 * believed for some seconds (docs/decisions/0015-redis-marks-and-failover.md), which test/redis/ is about.
 */
const failOver: ServiceFault = {
  name: 'failover-redis',
  what: 'kill -9 of the Redis master; the Sentinels make the replica the master',
  holdMs: [0, 0],
  async inject({ services: { redis } }) {
    await redis.settled();
    const old = await redis.master();
    await old.kill();
    return async () => {
      await redis.promoted(old);
      await old.restart();
    };
  },
};

export const SERVICE_FAULTS = [
  restart('kafka', 'kill -9 of Kafka, and a start some time later', [200, 1_000]),
  restart('mongodb', 'kill -9 of the MongoDB server, and a start some time later', [200, 1_000]),
  restart('s3', 'S3 is away for some time', [300, 1_500]),
  restartRedis,
  failOver,
];
