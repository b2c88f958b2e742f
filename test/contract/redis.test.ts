import { afterAll, beforeAll, describe, test } from '@jest/globals';
import { RedisCache } from '../../runtime/adapters/redis/cache.ts';
import { eventually } from '../helpers/eventually.ts';
import { TcpProxy } from '../helpers/tcp-proxy.ts';
import { ToldObserver } from '../redis/told-observer.ts';
import { ownServers } from '../services/endpoints.ts';
import { type RedisServer, startRedis } from '../services/redis.ts';
import { describeCache } from './cache.contract.ts';
import { unique } from './waiting.ts';

/** Takes time off whatever has a time to live; what has none left is deleted. */
const ELAPSE = `
for _, key in ipairs(redis.call('KEYS', '*')) do
  local left = redis.call('PTTL', key)
  if left >= 0 then redis.call('PEXPIRE', key, left - tonumber(ARGV[1])) end
end`;

const own = ownServers('redis');

// A server of this suite's own, not the one that the run shares: a replica changes what marks are bound to.
if (own.ok) {
  describe('on a server of its own', () => {
    let server: RedisServer;

    beforeAll(async () => {
      server = await startRedis({ appendOnly: false });
    });

    afterAll(async () => {
      await server.stop();
    });

    describeCache('Redis', async () => {
      const proxy = await TcpProxy.start(server.port);
      const keyPrefix = `${unique('contract')}:`;
      const opened: RedisCache[] = [];
      const observer = new ToldObserver();
      let replica: RedisServer | undefined;
      const connect = (): RedisCache => {
        const cache = new RedisCache({ server: { url: `redis://${proxy.address}` }, keyPrefix, observer });
        opened.push(cache);
        return cache;
      };
      const cache = connect();
      return {
        cache,
        connect: () => Promise.resolve(connect()),
        flush: async () => {
          await server.command('flushall');
        },
        elapse: async (ms) => {
          await server.command('eval', ELAPSE, '0', String(ms));
        },
        failOver: async () => {
          replica = await startRedis({ appendOnly: false, replicaOf: server });
          const { reconnects } = observer;
          await eventually(
            'the replica has all',
            async () => (await server.command('wait', '1', '100')) === '1',
          );
          await replica.command('replicaof', 'no', 'one');
          proxy.target(replica.port);
          proxy.cut();
          await eventually('the cache is connected again', () => observer.reconnects > reconnects);
        },
        dispose: async () => {
          await Promise.all(opened.map((each) => each.close()));
          await Promise.all([proxy.close(), replica?.stop()]);
        },
      };
    });
  });
} else {
  describe.skip(`cache: Redis (${own.reason})`, () => test('', () => {}));
}
