import { keyOf, libraryCall, MemberAssignment, MemberMetadata, versionsOf } from './client-library.ts';
import type { LibraryMessage } from './client-library.ts';
import { refused } from './failure.ts';
import * as fetchCodec from './fetch-codec.ts';
import type { FetchBounds, FetchedPartition, FetchPartition } from './fetch-codec.ts';
import * as metadataCodec from './metadata-codec.ts';
import type { ClusterMetadata } from './metadata-codec.ts';
import * as produceCodec from './produce-codec.ts';
import type { PartitionBatch, PartitionOutcome } from './produce-codec.ts';

/** Versions of each message that a broker speaks, by Kafka's number of the message. */
export type ApiVersions = Readonly<
  Record<number, { readonly minVersion: number; readonly maxVersion: number }>
>;

/** A request in a version that the broker speaks. */
export interface KafkaRequest<T> {
  readonly name: string;
  readonly apiKey: number;
  readonly apiVersion: number;
  /** Its header, and that of its answer, have tagged fields. */
  readonly flexible: boolean;
  /** Its body, in pieces. */
  encode(): readonly Buffer[] | Promise<readonly Buffer[]>;
  /** Reads the body of the answer; error codes are left in it. */
  decode(body: Buffer): T | Promise<T>;
}

/** Makes the request for a broker that speaks these versions. Throws a failure where it speaks none of ours. */
export type RequestFor<T> = (versions: ApiVersions) => KafkaRequest<T>;

const EARLIEST = -2n;
const LATEST = -1n;

/** What the broker speaks; asked before anything is known, so it is always version 2. */
export const apiVersions: RequestFor<{
  readonly errorCode: number;
  readonly apiVersions: readonly { apiKey: number; minVersion: number; maxVersion: number }[];
}> = () => fromLibrary('ApiVersions', 2, {});

export function metadata(topics: readonly string[]): RequestFor<ClusterMetadata> {
  return own('Metadata', metadataCodec.METADATA_KEY, metadataCodec.METADATA_VERSION, {
    flexible: true,
    encode: () => [metadataCodec.encodeMetadataRequest(topics)],
    decode: metadataCodec.decodeMetadataResponse,
  });
}

export function produce(
  batches: readonly PartitionBatch[],
  timeoutMs: number,
): RequestFor<readonly PartitionOutcome[]> {
  return own('Produce', produceCodec.PRODUCE_KEY, produceCodec.PRODUCE_VERSION, {
    flexible: false,
    encode: () => produceCodec.encodeProduceRequest(batches, timeoutMs),
    decode: produceCodec.decodeProduceResponse,
  });
}

export function fetch(
  partitions: readonly FetchPartition[],
  bounds: FetchBounds,
): RequestFor<{ readonly errorCode: number; readonly partitions: readonly FetchedPartition[] }> {
  return own('Fetch', fetchCodec.FETCH_KEY, fetchCodec.FETCH_VERSION, {
    flexible: false,
    encode: () => [fetchCodec.encodeFetchRequest(partitions, bounds)],
    decode: fetchCodec.decodeFetchResponse,
  });
}

export function saslHandshake(
  mechanism: string,
): RequestFor<{ readonly errorCode: number; readonly enabledMechanisms: readonly string[] }> {
  return library('SaslHandshake', { mechanism });
}

export const initProducerId: RequestFor<{
  readonly errorCode: number;
  readonly producerId: string;
  readonly producerEpoch: number;
}> = library('InitProducerId', { transactionalId: null });

/** Offset of one end of partitions, by `responses[].partitions[]`. */
export interface ListedOffsets {
  readonly responses: readonly {
    readonly partitions: readonly { partition: number; errorCode: number; offset: string }[];
  }[];
}

export function listOffsets(
  topic: string,
  partitions: readonly number[],
  which: 'earliest' | 'latest',
): RequestFor<ListedOffsets> {
  const timestamp = which === 'earliest' ? EARLIEST : LATEST;
  const wanted = partitions.map((partition) => ({ partition, timestamp }));
  return library('ListOffsets', {
    replicaId: -1,
    isolationLevel: 0,
    topics: [{ topic, partitions: wanted }],
  });
}

export function findCoordinator(
  groupId: string,
): RequestFor<{ readonly errorCode: number; readonly coordinator: metadataCodec.BrokerAddress }> {
  return library('GroupCoordinator', { groupId });
}

/** A member of a group, as its coordinator knows it. */
export interface Membership {
  readonly groupId: string;
  readonly memberId: string;
  readonly generationId: number;
}

/** The one way of assigning that members of our groups know (assignment.ts), in Kafka's own encoding. */
const PROTOCOL = { type: 'consumer', name: 'roundrobin', version: 0 } as const;

export interface JoinAnswer {
  readonly errorCode: number;
  readonly generationId: number;
  readonly leaderId: string;
  readonly memberId: string;
  /** All members, for the leader; empty for the others. */
  readonly members: readonly { readonly memberId: string; readonly topics: readonly string[] }[];
}

export function joinGroup(
  groupId: string,
  memberId: string,
  options: {
    readonly topics: readonly string[];
    readonly sessionTimeoutMs: number;
    readonly rebalanceTimeoutMs: number;
  },
): RequestFor<JoinAnswer> {
  const { topics, sessionTimeoutMs, rebalanceTimeoutMs } = options;
  type Raw = Omit<JoinAnswer, 'members'> & {
    members: readonly { memberId: string; memberMetadata: Buffer }[];
  };
  const request = library<Raw>('JoinGroup', {
    groupId,
    memberId,
    sessionTimeout: sessionTimeoutMs,
    rebalanceTimeout: rebalanceTimeoutMs,
    protocolType: PROTOCOL.type,
    groupProtocols: [
      { name: PROTOCOL.name, metadata: MemberMetadata.encode({ version: PROTOCOL.version, topics }) },
    ],
  });
  return mapped(request, ({ members, ...answer }) => ({
    ...answer,
    members: members.map((each) => ({
      memberId: each.memberId,
      topics: MemberMetadata.decode(each.memberMetadata).topics,
    })),
  }));
}

/** Partitions by topic. */
export type Assignment = Readonly<Record<string, readonly number[]>>;

export function syncGroup(
  membership: Membership,
  assignments: ReadonlyMap<string, Assignment>,
): RequestFor<{ readonly errorCode: number; readonly assignment: Assignment }> {
  const request = library<{ errorCode: number; memberAssignment: Buffer }>('SyncGroup', {
    ...membership,
    groupAssignment: Array.from(assignments, ([memberId, assignment]) => ({
      memberId,
      memberAssignment: MemberAssignment.encode({ version: PROTOCOL.version, assignment }),
    })),
  });
  return mapped(request, ({ errorCode, memberAssignment }) => ({
    errorCode,
    assignment: MemberAssignment.decode(memberAssignment)?.assignment ?? {},
  }));
}

export function heartbeat({
  groupId,
  memberId,
  generationId,
}: Membership): RequestFor<{ readonly errorCode: number }> {
  return library('Heartbeat', { groupId, memberId, groupGenerationId: generationId });
}

export function leaveGroup(groupId: string, memberId: string): RequestFor<{ readonly errorCode: number }> {
  return library('LeaveGroup', { groupId, memberId });
}

/** Error codes by `responses[].partitions[]`. */
export interface CommitAnswer {
  readonly responses: readonly { readonly partitions: readonly { errorCode: number }[] }[];
}

export function offsetCommit(
  { groupId, memberId, generationId }: Membership,
  at: { readonly topic: string; readonly partition: number; readonly offset: bigint },
): RequestFor<CommitAnswer> {
  const { topic, partition, offset } = at;
  return library('OffsetCommit', {
    groupId,
    memberId,
    groupGenerationId: generationId,
    topics: [{ topic, partitions: [{ partition, offset }] }],
  });
}

/** Offsets of a group; -1 where none is committed. */
export interface CommittedAnswer {
  readonly errorCode: number;
  readonly responses: readonly {
    readonly partitions: readonly { partition: number; offset: string; errorCode: number }[];
  }[];
}

export function offsetFetch(
  groupId: string,
  topic: string,
  partitions: readonly number[],
): RequestFor<CommittedAnswer> {
  const wanted = partitions.map((partition) => ({ partition }));
  return library('OffsetFetch', { groupId, topics: [{ topic, partitions: wanted }] });
}

/** A topic to be created. */
export interface TopicCreation {
  readonly topic: string;
  readonly numPartitions: number;
  readonly replicationFactor: number;
  readonly configEntries: readonly { readonly name: string; readonly value: string }[];
}

export function createTopics(
  topics: readonly TopicCreation[],
  timeoutMs: number,
): RequestFor<{
  readonly topicErrors: readonly { topic: string; errorCode: number; errorMessage: string | null }[];
}> {
  return library('CreateTopics', { topics, timeout: timeoutMs });
}

export interface DescribedConfigs {
  readonly resources: readonly {
    readonly errorCode: number;
    readonly resourceName: string;
    readonly configEntries: readonly { configName: string; configValue: string | null }[];
  }[];
}

/** Settings of topics, those that are set and those that are defaults. */
export function describeTopics(
  topics: readonly string[],
  names: readonly string[],
): RequestFor<DescribedConfigs> {
  const type = 2;
  return library('DescribeConfigs', {
    resources: topics.map((name) => ({ type, name, configNames: names })),
  });
}

function own<T>(
  name: string,
  apiKey: number,
  apiVersion: number,
  codec: Pick<KafkaRequest<T>, 'flexible' | 'encode' | 'decode'>,
): RequestFor<T> {
  return (versions) => {
    bestOf(name, [apiVersion], versions[apiKey]);
    return { name, apiKey, apiVersion, ...codec };
  };
}

function library<T>(message: LibraryMessage, parameters: object): RequestFor<T> {
  return (versions) => {
    const version = bestOf(message, versionsOf(message), versions[keyOf(message)]);
    return fromLibrary(message, version, parameters);
  };
}

function fromLibrary<T>(message: LibraryMessage, version: number, parameters: object): KafkaRequest<T> {
  const { request, response } = libraryCall(message, version, parameters);
  return {
    name: message,
    apiKey: request.apiKey,
    apiVersion: request.apiVersion,
    flexible: false,
    encode: async () => [(await request.encode()).buffer],
    // What the library decodes is described by the type of each function above.
    decode: async (body) => (await response.decode(body)) as T,
  };
}

function mapped<A, B>(request: RequestFor<A>, map: (answer: A) => B): RequestFor<B> {
  return (versions) => {
    const inner = request(versions);
    return { ...inner, decode: async (body) => map(await inner.decode(body)) };
  };
}

function bestOf(
  name: string,
  ours: readonly number[],
  theirs: { readonly minVersion: number; readonly maxVersion: number } | undefined,
): number {
  const both = ours.filter(
    (each) => theirs !== undefined && each >= theirs.minVersion && each <= theirs.maxVersion,
  );
  if (both.length > 0) return Math.max(...both);
  const spoken = theirs === undefined ? 'none' : `${theirs.minVersion} to ${theirs.maxVersion}`;
  throw refused(
    `the broker speaks ${spoken} of ${name}, this client ${ours.join(', ')}: spec.kafka.brokers need Kafka 3.1 or later`,
  );
}
