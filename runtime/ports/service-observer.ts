import type { PortError } from './port-error.ts';

/** Told by an adapter how its service does, for logs, metrics and readiness. None of its calls throws or waits. */
export interface ServiceObserver {
  /** The service answers; told at each change, and not at each call. */
  up(): void;
  /** The service cannot be reached, or refuses; told of each failed try, with what the error says. */
  down(error: PortError): void;
  /** A connection that was lost has been made anew. */
  reconnected(): void;
  /** How many items one request to the service carried, for example `produce` of 200 records. */
  sent(request: string, items: number): void;
}
