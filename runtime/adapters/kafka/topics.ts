import type { TopicInfo, TopicSpec } from '../../ports/event-log.ts';
import type { Cluster } from './cluster.ts';
import type { Deadline } from './deadline.ts';
import { pause } from '../pause.ts';
import { retrying } from './deadline.ts';
import { CODES } from './error-codes.ts';
import { away, check, failureOf, invalid, refused } from './failure.ts';
import type { TopicMetadata } from './metadata-codec.ts';
import { createTopics, describeTopics } from './requests.ts';
import type { TopicDirectory } from './topic-directory.ts';
import { CHECKED_SETTINGS, faultsOf, settingsOf } from './topic-settings.ts';
import type { Replication, TopicSettings } from './topic-settings.ts';

/** Where topics are made, and with which durability. */
export interface TopicPlace extends Replication {
  readonly cluster: Cluster;
  readonly directory: TopicDirectory;
  /** A broker to name in advice, as `host:port`. */
  readonly broker: string;
}

/** A topic that is wanted, and its name in Kafka. */
export interface NamedSpec {
  readonly spec: TopicSpec;
  readonly name: string;
}

const ANSWER_MS = 5_000;
const LOOK_AGAIN_MS = 30;

/** Creates those that are absent, and checks all. Rejects with a failure that says what is wrong, and what to do. */
export async function ensureTopics(
  place: TopicPlace,
  wanted: readonly NamedSpec[],
  deadline: Deadline,
): Promise<readonly TopicInfo[]> {
  if (wanted.length === 0) return [];
  const names = wanted.map(({ name }) => name);
  const { directory, cluster } = place;
  const patiently = <T>(work: () => Promise<T>): Promise<T> => retrying(deadline, work, cluster.isKnownAway);
  const before = await patiently(() => directory.askAll(names, deadline));
  const absent = wanted.filter(({ name }) => !before.some((topic) => topic.name === name));
  if (absent.length > 0) await patiently(() => create(place, absent, deadline));
  const topics = await patiently(() => whenThere(directory, names, deadline));
  const settings = await patiently(() => settingsOfAll(cluster, names, deadline));
  return wanted.map(({ spec, name }) => {
    const topic = topics.get(name);
    if (topic === undefined) throw away(`topic ${name} is not there`);
    const faults = faultsOf(spec, topic, settings.get(name) ?? {}, place);
    if (faults !== undefined) throw invalid(faults);
    return { name: spec.name, generation: topic.id, partitions: topic.partitions.length };
  });
}

async function create(place: TopicPlace, wanted: readonly NamedSpec[], deadline: Deadline): Promise<void> {
  const creations = wanted.map(({ spec, name }) => ({
    topic: name,
    numPartitions: spec.partitions,
    replicationFactor: place.replicationFactor,
    configEntries: Object.entries(settingsOf(spec, place)).map(([key, value]) => ({ name: key, value })),
  }));
  const request = createTopics(creations, ANSWER_MS);
  const { topicErrors } = await place.cluster.askAny('main', request, deadline, 2 * ANSWER_MS);
  for (const { topic, errorCode, errorMessage } of topicErrors) {
    // Somebody else was faster.
    if (errorCode === 0 || errorCode === CODES.topicAlreadyExists) continue;
    const said = errorMessage === null ? '' : `; the broker says: ${errorMessage}`;
    if (errorCode === CODES.invalidReplicationFactor) {
      throw refused(
        `topic ${topic} cannot have ${place.replicationFactor} replicas (spec.kafka.replicationFactor): the cluster has fewer brokers; add brokers, or ask for fewer replicas (and spec.kafka.minInsyncReplicas)${said}`,
      );
    }
    throw failureOf(errorCode, `creating topic ${topic}${said}`);
  }
}

/** All topics, as soon as each partition has a leader. */
async function whenThere(
  directory: TopicDirectory,
  names: readonly string[],
  deadline: Deadline,
): Promise<ReadonlyMap<string, TopicMetadata>> {
  for (;;) {
    const found = new Map((await directory.askAll(names, deadline)).map((topic) => [topic.name, topic]));
    const missing = names.find((name) => !isLed(found.get(name)));
    if (missing === undefined) return found;
    if (deadline.leftMs === 0) throw away(`partitions of topic ${missing} have no leader`);
    await pause(LOOK_AGAIN_MS, deadline.signal);
  }
}

function isLed(topic: TopicMetadata | undefined): boolean {
  return (
    topic !== undefined && topic.partitions.length > 0 && topic.partitions.every(({ leader }) => leader >= 0)
  );
}

async function settingsOfAll(
  cluster: Cluster,
  names: readonly string[],
  deadline: Deadline,
): Promise<ReadonlyMap<string, TopicSettings>> {
  const request = describeTopics(names, CHECKED_SETTINGS);
  const { resources } = await cluster.askAny('main', request, deadline, ANSWER_MS);
  for (const { errorCode, resourceName } of resources) check(errorCode, `settings of topic ${resourceName}`);
  return new Map(
    resources.map(({ resourceName, configEntries }) => [
      resourceName,
      Object.fromEntries(configEntries.map(({ configName, configValue }) => [configName, configValue ?? ''])),
    ]),
  );
}
