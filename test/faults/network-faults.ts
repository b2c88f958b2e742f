import type { TcpProxy } from '../helpers/tcp-proxy.ts';
import type { Fault } from './fault.ts';
import type { FaultyServices } from './services.ts';
import type { Topology } from './topology.ts';

type NetworkFault = Fault<Pick<Topology, 'services'>>;

type ProxiesOf = (services: FaultyServices) => readonly TcpProxy[];

/** The connections to each service, which all roles share. */
const CONNECTIONS: Readonly<Record<string, ProxiesOf>> = {
  kafka: ({ kafka }) => [kafka.proxy],
  mongodb: ({ mongodb }) => [mongodb.proxy],
  redis: ({ redis }) => redis.proxies,
  s3: ({ s3 }) => [s3.proxy],
};

/** Short enough that no Redis is taken for gone. */
const HOLD_MS = [300, 900] as const;

/** Something is done to the connections, and undone. */
function fault(
  name: string,
  what: string,
  { proxiesOf, begin }: { readonly proxiesOf: ProxiesOf; readonly begin: (proxy: TcpProxy) => void },
): NetworkFault {
  return {
    name,
    what,
    holdMs: HOLD_MS,
    inject({ services }) {
      const proxies = proxiesOf(services);
      proxies.forEach(begin);
      return Promise.resolve(() => {
        for (const proxy of proxies) {
          proxy.delay(0);
          proxy.resume();
        }
        return Promise.resolve();
      });
    },
  };
}

const DELAY_MS = 150;

const delayAll = fault(
  'delay-services',
  `all that is said to a service, and by it, takes ${DELAY_MS} ms more`,
  {
    proxiesOf: (services) => Object.values(CONNECTIONS).flatMap((proxiesOf) => proxiesOf(services)),
    begin: (proxy) => proxy.delay(DELAY_MS),
  },
);

const breaking = Object.entries(CONNECTIONS).flatMap(([service, proxiesOf]) => [
  fault(`cut-${service}`, `every connection to ${service} is reset, and none can be made`, {
    proxiesOf,
    begin: (proxy) => proxy.refuse(),
  }),
  fault(`half-open-${service}`, `what is sent is lost, for ever, on all connections to ${service}`, {
    proxiesOf,
    begin: (proxy) => proxy.halfOpen(),
  }),
]);

export const NETWORK_FAULTS: readonly NetworkFault[] = [delayAll, ...breaking];
