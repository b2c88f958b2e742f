import { WireReader, WireWriter } from './wire.ts';

/** A broker, as the cluster advertises it. */
export interface BrokerAddress {
  readonly nodeId: number;
  readonly host: string;
  readonly port: number;
}

/** One partition of a topic; leader -1 where it has none now. */
export interface PartitionMetadata {
  readonly partition: number;
  readonly errorCode: number;
  readonly leader: number;
  readonly replicas: readonly number[];
}

/** One topic, as the cluster sees it now. */
export interface TopicMetadata {
  readonly errorCode: number;
  readonly name: string;
  /** Kafka's topic id: another one for each creation. */
  readonly id: string;
  /** In order of their numbers. */
  readonly partitions: readonly PartitionMetadata[];
}

export interface ClusterMetadata {
  readonly brokers: readonly BrokerAddress[];
  readonly controllerId: number;
  readonly topics: readonly TopicMetadata[];
}

/** The library speaks up to version 6; topic ids come with 10, and 12 answers what it is asked by name. */
export const METADATA_VERSION = 12;
export const METADATA_KEY = 3;

const NO_ID = Buffer.alloc(16);

/** Body of a Metadata request, version 12, for these topics; it creates none. */
export function encodeMetadataRequest(topics: readonly string[]): Buffer {
  const out = new WireWriter();
  out.unsignedVarint(topics.length + 1);
  for (const topic of topics) out.bytes(NO_ID).compactString(topic).unsignedVarint(0);
  const createTopics = false;
  const includeAuthorizedOperations = false;
  return out.boolean(createTopics).boolean(includeAuthorizedOperations).unsignedVarint(0).written;
}

/** Reads the body of a Metadata response, version 12. */
export function decodeMetadataResponse(body: Buffer): ClusterMetadata {
  const from = new WireReader(body);
  from.int32(); // throttle time
  const brokers = from.compactArray(() => readBroker(from));
  from.compactNullableString(); // cluster id
  const controllerId = from.int32();
  const topics = from.compactArray(() => readTopic(from));
  return { brokers, controllerId, topics };
}

function readBroker(from: WireReader): BrokerAddress {
  const broker = { nodeId: from.int32(), host: from.compactString(), port: from.int32() };
  from.compactNullableString(); // rack
  from.skipTags();
  return broker;
}

function readTopic(from: WireReader): TopicMetadata {
  const errorCode = from.int16();
  const name = from.compactString();
  const id = from.uuid();
  from.boolean(); // internal
  const partitions = from.compactArray(() => readPartition(from));
  from.int32(); // authorized operations
  from.skipTags();
  return { errorCode, name, id, partitions: partitions.toSorted((a, b) => a.partition - b.partition) };
}

function readPartition(from: WireReader): PartitionMetadata {
  const errorCode = from.int16();
  const partition = from.int32();
  const leader = from.int32();
  from.int32(); // leader epoch
  const replicas = from.compactArray(() => from.int32());
  from.compactArray(() => from.int32()); // in sync
  from.compactArray(() => from.int32()); // offline
  from.skipTags();
  return { partition, errorCode, leader, replicas };
}
