import type { StorePorts } from '../../../runtime/compose/store-ports.ts';
import { type Interceptor, interceptPort } from '../../crash/child/intercept.ts';

/** How slow the stores are. */
export interface Slowness {
  /** What each call costs, in ms. */
  readonly callMs: number;
  /** What each document costs besides, in ms: its inverse is what the store can take. */
  readonly documentMs: number;
}

/**
 * The stores on one slow disk: document store and event store do one call after the other, each as slow as said.
 * What was asked is done in the end, whether or not anybody still waits for it.
 */
export function slowStores(ports: StorePorts, { callMs, documentMs }: Slowness): StorePorts {
  let free = Promise.resolve();
  const inTurn: Interceptor = ({ name, args }, proceed) => {
    if (name.endsWith('.close')) return proceed();
    const turn = free.then(() => pause(callMs + documentMs * documentsIn(args)));
    free = turn;
    return turn.then(proceed);
  };
  return {
    ...ports,
    events: interceptPort(ports.events, 'event-store', inTurn),
    documents: interceptPort(ports.documents, 'document-store', inTurn),
  };
}

/** How many documents, or ids, a call is about: its second argument is a list of them, if it has any. */
function documentsIn([, list]: readonly unknown[]): number {
  return Array.isArray(list) ? list.length : 1;
}

function pause(ms: number): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, ms));
}
