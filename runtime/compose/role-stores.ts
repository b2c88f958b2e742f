import type { StoreTitles } from '../service-wait.ts';
import type { ServicePorts, Services } from './services.ts';
import { composedEvents, type GuardOptions, guardStores, type StorePorts } from './store-ports.ts';

/** The stores of a role, guarded, and what they are called where people read it. */
export type RoleStores<K extends keyof StorePorts> = Pick<StorePorts, K> & { readonly titles: StoreTitles };

/** The services that a role uses as its stores. */
export function roleStores<K extends keyof ServicePorts>(
  services: Services,
  names: readonly K[],
  options: GuardOptions,
): RoleStores<K> {
  return { ...guardStores(pick(services, names), options), titles: services.titles };
}

/** The services that a worker uses as its stores. */
export function workerStores(
  services: Services,
  options: GuardOptions,
): RoleStores<'events' | 'documents' | 'log' | 'cache'> {
  const ports = pick(services, ['documents', 'log', 'cache']);
  const events = composedEvents(ports, options);
  return { ...guardStores({ ...ports, events }, options), titles: services.titles };
}

function pick<K extends keyof ServicePorts>({ ports }: Services, names: readonly K[]): Pick<StorePorts, K> {
  const absent = names.filter((name) => ports[name] === undefined);
  if (absent.length > 0) throw new Error(`the role has no ${absent.join(', ')}`);
  return Object.fromEntries(names.map((name) => [name, ports[name]])) as Pick<StorePorts, K>;
}
