import { describe, expect, test } from '@jest/globals';
import { Histogram, Registry } from 'prom-client';
import { cachedSeries, createMetrics } from './metrics.ts';

function histogram(): Histogram<'a' | 'b'> {
  return new Histogram({
    name: 'test_seconds',
    help: 'a test',
    labelNames: ['a', 'b'],
    buckets: [1],
    registers: [new Registry()],
  });
}

describe('cached series', () => {
  test('observe as the histogram itself would', async () => {
    const cached = histogram();
    const plain = histogram();
    const series = cachedSeries(cached, ['a', 'b']);
    for (const [a, b, value] of [
      ['x', 'y', 0.5],
      ['x', 'z', 1.5],
      ['y', 'x', 2.5],
      ['x', 'y', 3.5],
    ] as const) {
      series(a, b).observe(value);
      plain.observe({ a, b }, value);
    }
    expect((await cached.get()).values).toEqual((await plain.get()).values);
  });

  test('look each pair of labels up once, and mix no two of them up', () => {
    const series = cachedSeries(histogram(), ['a', 'b']);
    expect(series('x', 'y')).toBe(series('x', 'y'));
    expect(series('x', 'y')).not.toBe(series('y', 'x'));
    expect(series('', 'xy')).not.toBe(series('x', 'y'));
  });
});

describe('the metrics', () => {
  test('are named after the platform, with help and units', async () => {
    const { registry } = createMetrics();
    const all = await registry.getMetricsAsJSON();
    const own = all.filter(({ name }) => name.startsWith('mini_platform_'));
    expect(own.length).toBeGreaterThan(10);
    for (const { name, help, type } of own) {
      expect(help).not.toBe('');
      expect(name).toMatch(/^mini_platform_[a-z_]+$/);
      // prom-client's types are an enum in its typings and texts at run time.
      if (String(type) === 'counter') expect(name).toMatch(/_total$/);
    }
  });

  test('of two roles in one process do not meet', () => {
    expect(createMetrics().registry).not.toBe(createMetrics().registry);
  });
});
