import { beforeEach, expect, test } from '@jest/globals';
import { pino } from 'pino';
import { ManualClock } from '../../test/helpers/manual-clock.ts';
import { createMetrics, type Metrics } from '../metrics.ts';
import { PortError } from '../ports/port-error.ts';
import { ServiceMonitor } from './service-monitor.ts';

let clock: ManualClock;
let metrics: Metrics;
let lines: { level: number; msg: string; awayMs?: number }[];
let monitor: ServiceMonitor;

beforeEach(() => {
  clock = new ManualClock();
  metrics = createMetrics();
  lines = [];
  const logger = pino({}, { write: (line) => lines.push(JSON.parse(line) as (typeof lines)[number]) });
  const title = 'the cache (Redis at r:6379)';
  monitor = new ServiceMonitor({ service: 'cache', title, clock, logger, metrics });
});

const away = (message: string): PortError => new PortError('unavailable', 'cache.check', message);

async function sample(name: string, labels: object = {}): Promise<number | undefined> {
  const { values } = (await metrics.registry.getMetricsAsJSON()).find((metric) => metric.name === name) ?? {
    values: [],
  };
  return values.find((value) => Object.entries(labels).every(([key, wanted]) => value.labels[key] === wanted))
    ?.value;
}

test('before anybody asked, it is not up, and nothing is known against it', async () => {
  expect(await sample('mini_platform_service_up', { service: 'cache' })).toBe(0);
  expect(monitor.trouble).toBeUndefined();
  monitor.up();
  expect(await sample('mini_platform_service_up')).toBe(1);
  expect(lines).toEqual([]);
});

test('each time it goes and comes back makes one line, with the reason and how long', async () => {
  monitor.up();
  monitor.down(away('no route'));
  monitor.down(away('still no route'));
  expect(monitor.trouble).toBe('cache.check: still no route');
  expect(await sample('mini_platform_service_up')).toBe(0);
  clock.advance(2_500);
  monitor.up();
  monitor.up();
  expect(monitor.trouble).toBeUndefined();
  expect(lines.map(({ level, msg, awayMs }) => ({ level, msg, awayMs }))).toEqual([
    { level: 40, msg: 'the cache (Redis at r:6379) is away: cache.check: no route', awayMs: undefined },
    { level: 30, msg: 'the cache (Redis at r:6379) answers again', awayMs: 2_500 },
  ]);
});

test('that it refuses is news, also while it is away, and counted by kind', async () => {
  monitor.down(away('no route'));
  monitor.down(new PortError('refused', 'cache.check', 'wrong password'));
  monitor.down(new PortError('refused', 'cache.check', 'wrong password'));
  expect(lines.map(({ msg }) => msg)).toEqual([
    'the cache (Redis at r:6379) is away: cache.check: no route',
    'the cache (Redis at r:6379) refuses: cache.check: wrong password',
  ]);
  const failures = 'mini_platform_service_failures_total';
  expect(await sample(failures, { kind: 'unavailable' })).toBe(1);
  expect(await sample(failures, { kind: 'refused' })).toBe(2);
});

test('reconnects and the sizes of requests are counted', async () => {
  expect(await sample('mini_platform_service_reconnects_total')).toBe(0);
  monitor.reconnected();
  expect(await sample('mini_platform_service_reconnects_total')).toBe(1);
  monitor.sent('apply', 20);
  const { values } = await metrics.serviceRequestItems.get();
  expect(values.find(({ metricName }) => metricName.endsWith('_sum'))).toMatchObject({
    labels: { service: 'cache', request: 'apply' },
    value: 20,
  });
});
