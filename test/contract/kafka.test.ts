import { describe, test } from '@jest/globals';
import { Kafka, logLevel } from 'kafkajs';
import { KafkaEventLog, type KafkaOptions } from '../../runtime/adapters/kafka/event-log.ts';
import { testEndpoint } from '../services/endpoints.ts';
import { describeEventLog, type EventLogHarness } from './event-log.contract.ts';
import { kafkaOptions } from './kafka-options.ts';

const shared = testEndpoint('kafka');

if (shared.ok) describeEventLog('Kafka', () => openHarness(kafkaOptions(shared.brokers)));
else describe.skip(`event log: Kafka (${shared.reason})`, () => test('', () => {}));

function openHarness(options: KafkaOptions): Promise<EventLogHarness> {
  const logs = new Set<KafkaEventLog>();
  const open = (): KafkaEventLog => {
    const log = new KafkaEventLog(options, { retryPauseMs: 10 });
    logs.add(log);
    return log;
  };
  let log = open();
  return Promise.resolve({
    log,
    connect: () => Promise.resolve(open()),
    reopen: async () => {
      await log.close();
      log = open();
      return log;
    },
    expire: (topic) => deleteRecords(options, topic),
    dispose: async () => {
      await Promise.all([...logs].map((each) => each.close()));
    },
  });
}

/** What retention does to old records, at once and up to the end of each partition. */
async function deleteRecords({ brokers, topicPrefix }: KafkaOptions, topic: string): Promise<void> {
  const admin = new Kafka({ brokers: [...brokers], logLevel: logLevel.NOTHING }).admin();
  await admin.connect();
  try {
    const partitions = await admin.fetchTopicOffsets(`${topicPrefix}${topic}`);
    await admin.deleteTopicRecords({
      topic: `${topicPrefix}${topic}`,
      partitions: partitions.map(({ partition, high }) => ({ partition, offset: high })),
    });
  } finally {
    await admin.disconnect();
  }
}
