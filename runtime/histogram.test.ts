import { expect, test } from '@jest/globals';
import { Histogram as PromHistogram, Registry } from 'prom-client';
import { Histogram } from './histogram.ts';

const buckets = [0.1, 1, 5];
const labelNames = ['route', 'status'];

test('is served as prom-client serves its own', async () => {
  const ours = new Registry();
  const theirs = new Registry();
  const histogram = new Histogram({ name: 'h', help: 'a histogram', labelNames, buckets, registry: ours });
  const reference = new PromHistogram({
    name: 'h',
    help: 'a histogram',
    labelNames,
    buckets,
    registers: [theirs],
  });
  for (const [value, route, status] of [
    [0.05, '/a', '200'],
    [0.1, '/a', '200'],
    [0.100001, '/a', '200'],
    [5, '/a', '503'],
    [7, '/b', '200'],
  ] as const) {
    histogram.observe(value, route, status);
    reference.observe({ route, status }, value);
  }
  expect(await ours.metrics()).toBe(await theirs.metrics());
});

test('forgets every series when it is reset', async () => {
  const registry = new Registry();
  const histogram = new Histogram({
    name: 'h',
    help: 'a histogram',
    labelNames: ['route'],
    buckets: [1],
    registry,
  });
  histogram.observe(0.5, '/a');
  histogram.observe(2, '/a');
  expect(await registry.metrics()).toContain('h_sum{route="/a"} 2.5\nh_count{route="/a"} 2');
  registry.resetMetrics();
  expect(await registry.metrics()).not.toContain('h_count');
});

test('refuses another number of labels', () => {
  const histogram = new Histogram({ name: 'h', help: 'x', labelNames, buckets, registry: new Registry() });
  expect(() => histogram.observe(1, '/a')).toThrow('h has the labels route, status');
});
