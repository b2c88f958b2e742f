/** The version of the link protocol that this build speaks. */
export const PROTOCOL_VERSION = 1;

/** Two sides understand each other when their versions are at most one apart, so that one can be rolled first. */
export function isCompatible(version: number): boolean {
  return version > 0 && Math.abs(version - PROTOCOL_VERSION) <= 1;
}

/** Numbers of the link; all of them the same on both sides but for the window, which the worker announces. */
export interface LinkLimits {
  /** Pause between two heartbeats, in ms. */
  readonly heartbeatMs: number;
  /** Silence after which the other side is taken for dead, in ms. */
  readonly deadAfterMs: number;
  /** How long the handshake may take, in ms. */
  readonly handshakeMs: number;
  /** How often deadlines are looked at, in ms. */
  readonly sweepMs: number;
  /** A worker answers this long before the dispatcher's deadline (at most a quarter of the time-out), in ms. */
  readonly deadlineMarginMs: number;
  /** Operations in flight on one link. */
  readonly window: number;
  /** Bytes of operations in flight on one link. */
  readonly windowBytes: number;
  /** Items of one message. */
  readonly batchItems: number;
  /** Bytes of items in one message (a single larger item travels alone). */
  readonly batchBytes: number;
  /** Bytes of one item; larger ones are refused before they are sent. gRPC's own limit is set above it. */
  readonly itemBytes: number;
}

export const DEFAULT_LIMITS: LinkLimits = {
  heartbeatMs: 1_000,
  deadAfterMs: 3_000,
  handshakeMs: 3_000,
  sweepMs: 50,
  deadlineMarginMs: 250,
  window: 1_024,
  windowBytes: 16 * 1024 * 1024,
  batchItems: 512,
  batchBytes: 1024 * 1024,
  itemBytes: 3 * 1024 * 1024,
};

/** gRPC channel and server options that follow from the limits. */
export function grpcOptions(limits: LinkLimits): Record<string, number> {
  const messageBytes = limits.itemBytes + limits.batchBytes;
  return {
    'grpc.max_send_message_length': messageBytes,
    'grpc.max_receive_message_length': messageBytes,
    // The application heartbeat finds a dead process; HTTP/2 pings find a dead network below it.
    'grpc.keepalive_time_ms': 10_000,
    'grpc.keepalive_timeout_ms': 5_000,
    'grpc.keepalive_permit_without_calls': 1,
    // Each member has a connection and a back-off of its own.
    'grpc.use_local_subchannel_pool': 1,
    'grpc.initial_reconnect_backoff_ms': 100,
    'grpc.max_reconnect_backoff_ms': 1_000,
    'grpc.enable_retries': 0,
  };
}
