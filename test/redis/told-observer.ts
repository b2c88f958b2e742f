import type { PortError } from '../../runtime/ports/port-error.ts';
import type { ServiceObserver } from '../../runtime/ports/service-observer.ts';

/** Remembers what an adapter tells of its service. */
export class ToldObserver implements ServiceObserver {
  isUp = false;
  /** How often it came up. */
  ups = 0;
  reconnects = 0;
  readonly failures: PortError[] = [];
  readonly requests: string[] = [];

  up(): void {
    this.isUp = true;
    this.ups += 1;
  }

  down(error: PortError): void {
    this.isUp = false;
    this.failures.push(error);
  }

  reconnected(): void {
    this.reconnects += 1;
  }

  sent(request: string, items: number): void {
    this.requests.push(`${request} ${items}`);
  }
}
