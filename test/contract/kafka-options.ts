import type { KafkaOptions } from '../../runtime/adapters/kafka/event-log.ts';
import type { PortError } from '../../runtime/ports/port-error.ts';
import type { ServiceObserver } from '../../runtime/ports/service-observer.ts';
import { unique } from './waiting.ts';

/** What an adapter told its observer, in order; the same thing again and again counts once. */
export class Told implements ServiceObserver {
  readonly events: string[] = [];
  readonly messages: string[] = [];
  readonly sent = (): void => {};

  up(): void {
    this.events.push('up');
  }

  down({ kind, message }: PortError): void {
    this.messages.push(message);
    if (this.events.at(-1) !== `down: ${kind}`) this.events.push(`down: ${kind}`);
  }

  reconnected(): void {
    if (this.events.at(-1) !== 'reconnected') this.events.push('reconnected');
  }
}

/** Options for one broker, with a prefix of their own. */
export function kafkaOptions(brokers: readonly string[], more: Partial<KafkaOptions> = {}): KafkaOptions {
  return {
    brokers,
    topicPrefix: `${unique('platform')}.`,
    replicationFactor: 1,
    minInsyncReplicas: 1,
    tls: undefined,
    sasl: undefined,
    clientId: 'contract',
    observer: new Told(),
    ...more,
  };
}
