import { describe, expect, test } from '@jest/globals';
import { BatchCount, parseBatches } from './batch-count.ts';

const METRICS = `# TYPE mini_platform_worker_batch_size histogram
mini_platform_worker_batch_size_bucket{operation="bank.transaction",le="1"} 3
mini_platform_worker_batch_size_sum{operation="bank.operation"} 7
mini_platform_worker_batch_size_count{operation="bank.operation"} 7
mini_platform_worker_batch_size_sum{operation="bank.transaction"} 120
mini_platform_worker_batch_size_count{operation="bank.transaction"} 6
`;

describe('batches of a worker', () => {
  test('are those of transactions', () => {
    expect(parseBatches(METRICS)).toEqual({ batches: 6, operations: 120 });
  });

  test('a worker that has done nothing has made none', () => {
    expect(parseBatches('')).toEqual({ batches: 0, operations: 0 });
  });

  test('their mean is of what came between two readings', () => {
    const before = { batches: 2, operations: 20 };
    expect(BatchCount.meanBetween(before, { batches: 6, operations: 120 })).toBe(25);
    expect(BatchCount.meanBetween(before, before)).toBeUndefined();
  });
});
