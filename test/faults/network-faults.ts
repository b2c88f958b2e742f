import type { TcpProxy } from '../helpers/tcp-proxy.ts';
import type { Fault } from './fault.ts';
import type { FaultyServices } from './services.ts';
import type { Topology } from './topology.ts';

type NetworkFault = Fault<Pick<Topology, 'services'>>;

/** The services, and the connections to them that all roles share. */
const CONNECTIONS: Readonly<Record<string, (services: FaultyServices) => readonly TcpProxy[]>> = {
  kafka: ({ kafka }) => [kafka.proxy],
  mongodb: ({ mongodb }) => [mongodb.proxy],
  redis: ({ redis }) => redis.proxies,
  s3: ({ s3 }) => [s3.proxy],
};

const LEAST_DELAY_MS = 50;
const MOST_DELAY_MS = 400;

/** Short enough that no Redis is taken for gone. */
const HOLD_MS = [300, 900] as const;

function faultsOf(
  service: string,
  proxiesOf: (services: FaultyServices) => readonly TcpProxy[],
): NetworkFault[] {
  const fault = (
    kind: string,
    what: string,
    begin: (proxy: TcpProxy, delayMs: number) => void,
  ): NetworkFault => ({
    name: `${kind}-${service}`,
    what: `${what} ${service}`,
    holdMs: HOLD_MS,
    inject({ services }, random) {
      const proxies = proxiesOf(services);
      const delayMs = random.integer(LEAST_DELAY_MS, MOST_DELAY_MS);
      for (const proxy of proxies) begin(proxy, delayMs);
      return Promise.resolve(() => {
        for (const proxy of proxies) {
          proxy.delay(0);
          proxy.resume();
        }
        return Promise.resolve();
      });
    },
  });
  return [
    fault('delay', 'up to 0.4 s more each way to', (proxy, delayMs) => proxy.delay(delayMs)),
    fault('cut', 'every connection is reset, and none can be made to', (proxy) => proxy.refuse()),
    fault('half-open', 'what is sent is lost, on every connection that there is to', (proxy) =>
      proxy.halfOpen(),
    ),
  ];
}

export const NETWORK_FAULTS = Object.entries(CONNECTIONS).flatMap(([service, proxiesOf]) =>
  faultsOf(service, proxiesOf),
);
