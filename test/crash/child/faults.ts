import { PortError } from '../../../runtime/ports/port-error.ts';
import type { Interceptor } from './intercept.ts';
import type { FaultOrder } from './orders.ts';

/** Lets calls fail as a service does that is away now and then; some of them have taken effect all the same. */
export function failNowAndThen(orders: readonly FaultOrder[]): Interceptor {
  const counts = new Map<string, number>();
  return ({ name }, proceed) => {
    const order = orders.find(({ call }) => call === name);
    if (order === undefined) return proceed();
    const count = counts.get(name) ?? 0;
    counts.set(name, count + 1);
    if (count % order.every < order.every - order.burst) return proceed();
    return fail(name, order.effect === 'done' ? proceed() : undefined);
  };
}

async function fail(name: string, effect: unknown): Promise<never> {
  await effect;
  throw new PortError('unavailable', name.replace(/ .*/, ''), 'injected by the crash suite');
}
