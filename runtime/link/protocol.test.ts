import { describe, expect, test } from '@jest/globals';
import { DEFAULT_LIMITS, grpcOptions, isCompatible, PROTOCOL_VERSION } from './protocol.ts';

describe('the link protocol', () => {
  test.each([
    [PROTOCOL_VERSION, true],
    [PROTOCOL_VERSION + 1, true],
    [PROTOCOL_VERSION + 2, false],
    [PROTOCOL_VERSION - 2, false],
    [0, false],
    [-1, false],
  ])('version %i: %s', (version, compatible) => {
    expect(isCompatible(version)).toBe(compatible);
  });

  test('has limits that fit together', () => {
    const { heartbeatMs, deadAfterMs, batchBytes, itemBytes, windowBytes } = DEFAULT_LIMITS;
    const { deadlineMarginMs, sweepMs, batchItems, window } = DEFAULT_LIMITS;
    expect(deadAfterMs).toBeGreaterThanOrEqual(3 * heartbeatMs);
    expect(itemBytes).toBeGreaterThanOrEqual(batchBytes);
    expect(windowBytes).toBeGreaterThan(itemBytes);
    expect(window).toBeGreaterThanOrEqual(batchItems);
    expect(deadlineMarginMs).toBeGreaterThan(sweepMs);
  });

  test('lets gRPC carry the largest message there can be', () => {
    const options = grpcOptions(DEFAULT_LIMITS);
    const largest = DEFAULT_LIMITS.itemBytes + 64;
    expect(options['grpc.max_send_message_length']).toBeGreaterThan(largest);
    expect(options['grpc.max_receive_message_length']).toBeGreaterThan(largest);
  });
});
