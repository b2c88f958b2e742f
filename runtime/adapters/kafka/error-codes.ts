import type { PortErrorKind } from '../../ports/port-error.ts';

/** What an error code of Kafka means to this adapter. */
export interface CodeMeaning {
  readonly name: string;
  readonly kind: PortErrorKind;
  readonly retriable: boolean;
  readonly advice?: string;
}

/** Codes that the adapter acts upon. Source: https://kafka.apache.org/protocol#protocol_error_codes. */
export const CODES = {
  offsetOutOfRange: 1,
  corruptMessage: 2,
  unknownTopicOrPartition: 3,
  messageTooLarge: 10,
  coordinatorLoadInProgress: 14,
  coordinatorNotAvailable: 15,
  notCoordinator: 16,
  invalidTopic: 17,
  recordListTooLarge: 18,
  requestTimedOut: 7,
  notEnoughReplicas: 19,
  notEnoughReplicasAfterAppend: 20,
  illegalGeneration: 22,
  unknownMemberId: 25,
  rebalanceInProgress: 27,
  topicAuthorizationFailed: 29,
  groupAuthorizationFailed: 30,
  invalidTimestamp: 32,
  unsupportedSaslMechanism: 33,
  illegalSaslState: 34,
  topicAlreadyExists: 36,
  invalidReplicationFactor: 38,
  notController: 41,
  outOfOrderSequence: 45,
  duplicateSequence: 46,
  invalidProducerEpoch: 47,
  saslAuthenticationFailed: 58,
  unknownProducerId: 59,
  memberIdRequired: 79,
  fencedInstanceId: 82,
  invalidRecord: 87,
} as const;

const GRANT =
  'the user of spec.kafka.authSecret lacks a permission: grant it with kafka-acls.sh --add --allow-principal User:...';

type Row = readonly [name: string, kind: PortErrorKind | 'later', advice?: string];

/** `later`: unavailable now, and worth asking again. */
const TABLE: Readonly<Record<number, Row>> = {
  [-1]: ['UNKNOWN_SERVER_ERROR', 'later'],
  1: ['OFFSET_OUT_OF_RANGE', 'invalid'],
  2: ['CORRUPT_MESSAGE', 'later'],
  3: ['UNKNOWN_TOPIC_OR_PARTITION', 'later'],
  5: ['LEADER_NOT_AVAILABLE', 'later'],
  6: ['NOT_LEADER_OR_FOLLOWER', 'later'],
  7: ['REQUEST_TIMED_OUT', 'later'],
  8: ['BROKER_NOT_AVAILABLE', 'later'],
  9: ['REPLICA_NOT_AVAILABLE', 'later'],
  10: ['MESSAGE_TOO_LARGE', 'invalid'],
  13: ['NETWORK_EXCEPTION', 'later'],
  14: ['COORDINATOR_LOAD_IN_PROGRESS', 'later'],
  15: ['COORDINATOR_NOT_AVAILABLE', 'later'],
  16: ['NOT_COORDINATOR', 'later'],
  17: ['INVALID_TOPIC_EXCEPTION', 'invalid'],
  18: ['RECORD_LIST_TOO_LARGE', 'invalid'],
  19: ['NOT_ENOUGH_REPLICAS', 'later', 'fewer replicas are in sync than min.insync.replicas asks for'],
  20: [
    'NOT_ENOUGH_REPLICAS_AFTER_APPEND',
    'later',
    'fewer replicas are in sync than min.insync.replicas asks for',
  ],
  22: ['ILLEGAL_GENERATION', 'invalid'],
  23: ['INCONSISTENT_GROUP_PROTOCOL', 'refused', 'another kind of consumer uses this group'],
  25: ['UNKNOWN_MEMBER_ID', 'invalid'],
  26: [
    'INVALID_SESSION_TIMEOUT',
    'refused',
    'let group.min.session.timeout.ms and group.max.session.timeout.ms span 10 s',
  ],
  27: ['REBALANCE_IN_PROGRESS', 'later'],
  29: ['TOPIC_AUTHORIZATION_FAILED', 'refused', GRANT],
  30: ['GROUP_AUTHORIZATION_FAILED', 'refused', GRANT],
  31: ['CLUSTER_AUTHORIZATION_FAILED', 'refused', GRANT],
  32: ['INVALID_TIMESTAMP', 'invalid'],
  33: ['UNSUPPORTED_SASL_MECHANISM', 'refused'],
  34: ['ILLEGAL_SASL_STATE', 'refused'],
  35: ['UNSUPPORTED_VERSION', 'refused', 'Kafka 3.1 or later is needed'],
  36: ['TOPIC_ALREADY_EXISTS', 'later'],
  37: ['INVALID_PARTITIONS', 'invalid'],
  38: ['INVALID_REPLICATION_FACTOR', 'refused'],
  40: ['INVALID_CONFIG', 'refused'],
  41: ['NOT_CONTROLLER', 'later'],
  42: ['INVALID_REQUEST', 'invalid'],
  44: ['POLICY_VIOLATION', 'refused', 'a policy of the cluster forbids it'],
  45: ['OUT_OF_ORDER_SEQUENCE_NUMBER', 'later'],
  46: ['DUPLICATE_SEQUENCE_NUMBER', 'later'],
  47: ['INVALID_PRODUCER_EPOCH', 'later'],
  56: ['KAFKA_STORAGE_ERROR', 'later', 'a disk of the broker fails'],
  58: ['SASL_AUTHENTICATION_FAILED', 'refused'],
  59: ['UNKNOWN_PRODUCER_ID', 'later'],
  72: ['LISTENER_NOT_FOUND', 'later'],
  74: ['FENCED_LEADER_EPOCH', 'later'],
  75: ['UNKNOWN_LEADER_EPOCH', 'later'],
  78: ['OFFSET_NOT_AVAILABLE', 'later'],
  79: ['MEMBER_ID_REQUIRED', 'later'],
  81: ['GROUP_MAX_SIZE_REACHED', 'refused', 'let group.max.size of the brokers be larger'],
  82: ['FENCED_INSTANCE_ID', 'invalid'],
  87: ['INVALID_RECORD', 'invalid', 'in a compacted topic each record needs a key'],
  89: ['THROTTLING_QUOTA_EXCEEDED', 'later'],
  100: ['UNKNOWN_TOPIC_ID', 'later'],
  103: ['INCONSISTENT_TOPIC_ID', 'later'],
};

/** What a code means; one that is not known may pass. */
export function meaningOf(code: number): CodeMeaning {
  const [name, kind, advice] = TABLE[code] ?? ['unknown to this client', 'later'];
  const retriable = kind === 'later';
  return {
    name,
    kind: retriable ? 'unavailable' : kind,
    retriable,
    ...(advice === undefined ? {} : { advice }),
  };
}
