import type { TopicSpec } from '../../ports/event-log.ts';
import type { TopicMetadata } from './metadata-codec.ts';

/** What the topics' durability rests on, from the resource. */
export interface Replication {
  readonly replicationFactor: number;
  readonly minInsyncReplicas: number;
}

/** Settings of a topic, by Kafka's names. */
export type TopicSettings = Readonly<Record<string, string>>;

const DAY_MS = 86_400_000;
/** A record may have 1,000,000 bytes, and a batch some around it. */
const LEAST_MESSAGE_BYTES = 1_000_100;
const FOR_EVER = '-1';

/** The settings that a topic is created with. */
export function settingsOf(
  { compacted, retentionMs }: TopicSpec,
  { minInsyncReplicas }: Replication,
): TopicSettings {
  const all = {
    'min.insync.replicas': `${minInsyncReplicas}`,
    'unclean.leader.election.enable': 'false',
    // Retention and lag then go by the brokers' clocks alone.
    'message.timestamp.type': 'LogAppendTime',
  };
  if (!compacted) {
    const retention = retentionMs === undefined ? FOR_EVER : `${Math.ceil(retentionMs)}`;
    return { ...all, 'cleanup.policy': 'delete', 'retention.ms': retention, 'retention.bytes': FOR_EVER };
  }
  return {
    ...all,
    'cleanup.policy': 'compact',
    // The newest segment is never compacted: with small ones what is superseded goes soon, and reading all stays cheap.
    'segment.bytes': `${64 * 1024 * 1024}`,
    'segment.ms': `${DAY_MS / 24}`,
    'min.cleanable.dirty.ratio': '0.1',
    'max.compaction.lag.ms': `${DAY_MS}`,
    // A reader that was away for a week still sees that a key was removed.
    'delete.retention.ms': `${7 * DAY_MS}`,
  };
}

/** The settings that are looked at when a topic exists. */
export const CHECKED_SETTINGS: readonly string[] = [
  'cleanup.policy',
  'retention.ms',
  'retention.bytes',
  'min.insync.replicas',
  'unclean.leader.election.enable',
  'max.message.bytes',
];

/** One thing about a topic that is not as asked for. */
interface Fault {
  readonly setting: string;
  readonly actual: string;
  readonly wanted: string;
  /** The setting in the YAML that asks for it, where there is one. */
  readonly yaml?: string;
  readonly remedy: string;
}

/** What is wrong with a topic, and what to do; undefined when nothing is. `broker`: any, as `host:port`. */
export function faultsOf(
  spec: TopicSpec,
  topic: TopicMetadata,
  settings: TopicSettings,
  wanted: Replication & { readonly broker: string },
): string | undefined {
  const faults = [
    partitionFault(spec, topic, wanted.broker),
    replicationFault(topic, wanted),
    ...settingFaults(spec, settings, wanted).map(({ value, ...fault }) => ({
      ...fault,
      remedy: `kafka-configs.sh --bootstrap-server ${wanted.broker} --alter --entity-type topics --entity-name ${topic.name} --add-config ${fault.setting}=${value}`,
    })),
  ].filter((fault) => fault !== undefined);
  if (faults.length === 0) return undefined;
  const texts = faults.map(({ setting, actual, wanted: want, yaml, remedy }) => {
    const by = yaml === undefined ? '' : ` (${yaml})`;
    return `${setting} is ${actual}, wanted is ${want}${by}: ${remedy}`;
  });
  return `topic ${topic.name}: ${texts.join('; ')}`;
}

function partitionFault(spec: TopicSpec, topic: TopicMetadata, broker: string): Fault | undefined {
  const actual = topic.partitions.length;
  if (actual >= spec.partitions) return undefined;
  const remedy = `kafka-topics.sh --bootstrap-server ${broker} --alter --topic ${topic.name} --partitions ${spec.partitions}`;
  return { setting: 'the number of partitions', actual: `${actual}`, wanted: `${spec.partitions}`, remedy };
}

function replicationFault(
  { partitions }: TopicMetadata,
  { replicationFactor }: Replication,
): Fault | undefined {
  const actual = Math.min(...partitions.map(({ replicas }) => replicas.length));
  if (actual >= replicationFactor) return undefined;
  return {
    setting: 'the replication factor',
    actual: `${actual}`,
    wanted: `${replicationFactor} or more`,
    yaml: 'spec.kafka.replicationFactor',
    remedy: 'add replicas with kafka-reassign-partitions.sh, or ask for fewer',
  };
}

/** What a setting must be. */
interface Rule {
  readonly setting: string;
  /** What to set it to. */
  readonly value: string;
  readonly orMore?: boolean;
  readonly yaml?: string;
  readonly holds: (actual: string | undefined) => boolean;
}

type SettingFault = Omit<Fault, 'remedy'> & { readonly value: string };

function settingFaults(
  { compacted, retentionMs }: TopicSpec,
  settings: TopicSettings,
  { minInsyncReplicas }: Replication,
): SettingFault[] {
  const policy = compacted ? 'compact' : 'delete';
  const retention = retentionMs === undefined ? FOR_EVER : `${Math.ceil(retentionMs)}`;
  const kept: readonly Rule[] = [
    {
      setting: 'retention.ms',
      value: retention,
      orMore: true,
      holds: (actual) => outlasts(actual, retention),
    },
    { setting: 'retention.bytes', value: FOR_EVER, holds: (actual) => actual === FOR_EVER },
  ];
  const rules: readonly Rule[] = [
    { setting: 'cleanup.policy', value: policy, holds: (actual) => actual === policy },
    ...(compacted ? [] : kept),
    {
      setting: 'min.insync.replicas',
      value: `${minInsyncReplicas}`,
      orMore: true,
      yaml: 'spec.kafka.minInsyncReplicas',
      holds: (actual) => Number(actual) >= minInsyncReplicas,
    },
    { setting: 'unclean.leader.election.enable', value: 'false', holds: (actual) => actual !== 'true' },
    {
      setting: 'max.message.bytes',
      value: `${LEAST_MESSAGE_BYTES}`,
      orMore: true,
      holds: (actual) => Number(actual) >= LEAST_MESSAGE_BYTES,
    },
  ];
  return rules
    .filter(({ setting, holds }) => !holds(settings[setting]))
    .map(({ setting, value, orMore = false, yaml }) => ({
      setting,
      actual: settings[setting] ?? 'not told',
      wanted: orMore ? `${value} or more` : value,
      value,
      ...(yaml === undefined ? {} : { yaml }),
    }));
}

/** -1 is for ever. */
function outlasts(actual: string | undefined, wanted: string): boolean {
  if (actual === undefined) return false;
  if (actual === FOR_EVER) return true;
  return wanted !== FOR_EVER && Number(actual) >= Number(wanted);
}
