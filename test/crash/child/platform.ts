import { up } from '../../../cli/up/up.ts';
import type { StorePorts } from '../../../runtime/compose/store-ports.ts';
import { ComposedEventStore } from '../../../runtime/adapters/composed/event-store.ts';
import { CrashPoint } from './crash.ts';
import { failNowAndThen } from './faults.ts';
import { type Interceptor, interceptPort } from './intercept.ts';
import type { ChildOrders, FromChild, ToChild } from './orders.ts';
import { poison } from './poison.ts';
import { sabotage } from './sabotage.ts';

/** Runs a platform on stores that crash, fail or lie as the orders say; for a process of its own. */
export async function runPlatform(orders: ChildOrders): Promise<void> {
  const calls = new Map<string, number>();
  const crash = new CrashPoint();
  if (orders.crashAtStart !== undefined) crash.arm(orders.crashAtStart);
  const faults = failNowAndThen(orders.faults ?? []);
  const defect = orders.poisoned === true ? poison : untouched;
  const lie = orders.sabotage === undefined ? untouched : sabotage(orders.sabotage);
  const intercept: Interceptor = (call, proceed) => {
    calls.set(call.name, (calls.get(call.name) ?? 0) + 1);
    const store = (): unknown => defect(call, () => lie(call, proceed));
    return crash.intercept(call, () => faults(call, store));
  };
  process.on('message', (message) => {
    // From the parent, which is built from the same types.
    const told = message as ToChild;
    if (told.say === 'crash') crash.arm(told.order);
    else process.send?.({ calls: Object.fromEntries(calls) } satisfies FromChild);
  });
  // Not outlived by what it was started for.
  process.on('disconnect', () => process.kill(process.pid, 'SIGKILL'));
  process.channel?.unref();
  await up(
    orders.file,
    {
      port: 0,
      metricsPort: 0,
      adminPort: 0,
      stateDir: orders.stateDir,
      secretsDir: 'secrets',
      logFormat: 'json',
      logLevel: 'warn',
    },
    { wrapStores: (ports) => wrap(ports, intercept, orders.composed) },
  );
}

const untouched: Interceptor = (_call, proceed) => proceed();

function wrap(bare: StorePorts, intercept: Interceptor, composed: boolean): StorePorts {
  const ports = {
    events: interceptPort(bare.events, 'event-store', intercept),
    documents: interceptPort(bare.documents, 'document-store', intercept),
    log: interceptPort(bare.log, 'event-log', intercept),
    cache: interceptPort(bare.cache, 'cache', intercept),
    objects: interceptPort(bare.objects, 'object-store', intercept),
  };
  return composed ? { ...ports, events: new ComposedEventStore(ports.documents, ports.log) } : ports;
}
