import { expect, test } from '@jest/globals';
import type { TopicSpec } from '../../ports/event-log.ts';
import type { TopicMetadata } from './metadata-codec.ts';
import { faultsOf, settingsOf } from './topic-settings.ts';

const wanted = { replicationFactor: 3, minInsyncReplicas: 2, broker: 'kafka:9092' };
const spec: TopicSpec = { name: 'events', partitions: 2, compacted: false, retentionMs: 1_000 };
const compacted: TopicSpec = { name: 'parked', partitions: 2, compacted: true };
const topic: TopicMetadata = {
  errorCode: 0,
  name: 'p.events',
  id: 'id',
  partitions: [0, 1].map((partition) => ({ partition, errorCode: 0, leader: 1, replicas: [1, 2, 3] })),
};
const good = { 'max.message.bytes': '1048588', 'retention.ms': '1', 'retention.bytes': '1' };

test.each([
  ['kept for a time', spec],
  ['kept for ever', { ...spec, retentionMs: undefined } as unknown as TopicSpec],
  ['compacted', compacted],
])('a topic that was created as it is asked for has no faults: %s', (_, asked) => {
  expect(faultsOf(asked, topic, { ...good, ...settingsOf(asked, wanted) }, wanted)).toBeUndefined();
});

test.each([
  ['cleanup.policy', 'compact,delete', 'cleanup.policy is compact,delete, wanted is delete: '],
  ['retention.ms', '999', 'retention.ms is 999, wanted is 1000 or more: '],
  ['retention.bytes', '5000', 'retention.bytes is 5000, wanted is -1: '],
  [
    'min.insync.replicas',
    '1',
    'min.insync.replicas is 1, wanted is 2 or more (spec.kafka.minInsyncReplicas): ',
  ],
  ['unclean.leader.election.enable', 'true', 'unclean.leader.election.enable is true, wanted is false: '],
  ['max.message.bytes', '1000', 'max.message.bytes is 1000, wanted is 1000100 or more: '],
])('%s: %s is a fault, with what to do', (setting, value, message) => {
  const faults = faultsOf(spec, topic, { ...good, ...settingsOf(spec, wanted), [setting]: value }, wanted);
  expect(faults).toContain(
    `topic p.events: ${message}kafka-configs.sh --bootstrap-server kafka:9092 --alter`,
  );
  expect(faults).toContain(`--entity-name p.events --add-config ${setting}=`);
});

test('what is kept longer, or for ever, is good enough', () => {
  for (const retention of ['1000', '5000', '-1']) {
    const settings = { ...good, ...settingsOf(spec, wanted), 'retention.ms': retention };
    expect(faultsOf(spec, topic, settings, wanted)).toBeUndefined();
  }
  const forEver: TopicSpec = { name: 'events', partitions: 2, compacted: false };
  const settings = { ...good, ...settingsOf(forEver, wanted), 'retention.ms': '5000' };
  expect(faultsOf(forEver, topic, settings, wanted)).toContain('retention.ms is 5000, wanted is -1 or more');
});

test('partitions and replicas are checked, and all faults are told at once', () => {
  const poor = { ...topic, partitions: [{ partition: 0, errorCode: 0, leader: 1, replicas: [1, 2] }] };
  const faults = faultsOf(spec, poor, { ...good, ...settingsOf(spec, wanted), 'retention.ms': '1' }, wanted);
  expect(faults).toContain('the number of partitions is 1, wanted is 2: kafka-topics.sh');
  expect(faults).toContain(
    'the replication factor is 2, wanted is 3 or more (spec.kafka.replicationFactor): add replicas',
  );
  expect(faults).toContain('retention.ms is 1');
});
