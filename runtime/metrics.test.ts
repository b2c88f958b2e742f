import { describe, expect, test } from '@jest/globals';
import { createMetrics } from './metrics.ts';

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
