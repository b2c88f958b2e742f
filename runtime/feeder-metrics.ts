import { Counter, Gauge, type Registry } from 'prom-client';

/** What the feeder tells. */
export interface FeederMetrics {
  readonly fraudListInForce: Gauge;
  readonly fraudListNames: Gauge;
  readonly fraudListAge: Gauge<'since'>;
  readonly fraudListLoads: Counter<'outcome'>;
  readonly fraudListRefusedLines: Gauge;
  readonly fraudListLastFailure: Gauge;
}

/** Makes the metrics of the feeder (metrics.ts). */
export function feederMetrics(registry: Registry): FeederMetrics {
  const registers = [registry];
  return {
    fraudListInForce: new Gauge({
      name: 'mini_platform_fraud_list_in_force',
      help: '1 while the cache is known to hold a complete fraud list, otherwise 0',
      registers,
    }),
    fraudListNames: new Gauge({
      name: 'mini_platform_fraud_list_names',
      help: 'Names on the fraud list that was last seen in force',
      registers,
    }),
    fraudListAge: new Gauge({
      name: 'mini_platform_fraud_list_age_seconds',
      help: 'Since the list in force was loaded, and since it was last verified to be what the object holds',
      labelNames: ['since'],
      registers,
    }),
    fraudListLoads: new Counter({
      name: 'mini_platform_fraud_list_loads_total',
      help: 'Looks at the object that did not find the list in force: loaded, missing, refused, failed',
      labelNames: ['outcome'],
      registers,
    }),
    fraudListRefusedLines: new Gauge({
      name: 'mini_platform_fraud_list_refused_lines',
      help: 'Lines that are no names in the list that was read last; the log tells which',
      registers,
    }),
    fraudListLastFailure: new Gauge({
      name: 'mini_platform_fraud_list_last_failure_timestamp_seconds',
      help: 'When a list could last not be brought into force, in Unix time; 0 if that never happened',
      registers,
    }),
  };
}
