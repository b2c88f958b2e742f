import { createHash } from 'node:crypto';
import { mkdir } from 'node:fs/promises';
import path from 'node:path';
import { EmbeddedDatabase } from '../runtime/adapters/embedded/database.ts';
import { EmbeddedDocumentStore } from '../runtime/adapters/embedded/document-store.ts';
import { EmbeddedEventLog } from '../runtime/adapters/embedded/event-log.ts';
import { EmbeddedEventStore } from '../runtime/adapters/embedded/event-store.ts';
import { type EventRecord, toDocument, toLogRecord } from '../runtime/domain-kit/event.ts';
import { bankOperation, transaction } from '../runtime/domains/bank/definitions.ts';
import { bank } from '../runtime/domains/bank/index.ts';
import { OPERATIONS, TRANSACTIONS } from '../runtime/domains/bank/store.ts';
import { seededRandom } from './random-body.ts';

/** A client that takes part in many of the events: one in HOT_ONE_IN. */
export const HOT_CLIENT = 'hot';
const HOT_ONE_IN = 20;
/** The others: few have many events, most have few. */
const CLIENTS = 10_000;
const OPERATION_SHARE = 0.1;

const BATCH = 1_000;
const PROGRESS_EVERY = 100_000;
/** Time between two events, in ms, back from now. */
const STEP_MS = 5;

export interface FillOptions {
  /** As `--state-dir` names it. */
  readonly stateDir: string;
  /** Name of the platform. */
  readonly name: string;
  readonly events: number;
  /** Whether they are in the event log as well, so that the archiver has work with them. */
  readonly published: boolean;
  readonly progress: (line: string) => void;
}

/** Fills the state directory of a platform with events of the bank, as its workers would, but without them. */
export async function fillState({ stateDir, name, events, published, progress }: FillOptions): Promise<void> {
  const directory = path.join(stateDir, name);
  await mkdir(directory, { recursive: true });
  const database = await EmbeddedDatabase.open(directory);
  try {
    const documents = new EmbeddedDocumentStore(database);
    await documents.ensureCollections(bank.collections);
    await new EmbeddedEventLog(database, {}).ensureTopics(bank.topics);
    const store = new EmbeddedEventStore(database);
    const draw = eventSource(Date.now() - events * STEP_MS);
    for (let done = 0; done < events; done += BATCH) {
      const batch = Array.from({ length: Math.min(BATCH, events - done) }, draw);
      for (const collection of [TRANSACTIONS, OPERATIONS]) {
        const operation = collection === TRANSACTIONS ? transaction.name : bankOperation.name;
        const records = batch.filter((each) => each.collection === collection).map(({ record }) => record);
        await store.insertAndAppend(
          collection,
          records.map((record) => ({
            document: toDocument(record),
            record: published ? toLogRecord(operation, record) : undefined,
          })),
        );
      }
      if ((done + BATCH) % PROGRESS_EVERY === 0) progress(`${done + BATCH} of ${events} events stored`);
    }
    // Brings the indexes up to date: that is not what is measured.
    await documents.ensureCollections(bank.collections);
  } finally {
    await database.close();
  }
}

interface DrawnEvent {
  readonly collection: string;
  readonly record: EventRecord;
}

/** Makes one event after the other, each a little later than the last; always the same ones but for their times. */
function eventSource(startAt: number): () => DrawnEvent {
  const random = seededRandom(1);
  let number = 0;
  const client = (): string => {
    if (random() < 1 / HOT_ONE_IN) return HOT_CLIENT;
    // The square makes the first ones frequent.
    return `c${Math.floor(random() ** 2 * CLIENTS)}`;
  };
  return () => {
    number += 1;
    const id = `filled-${number.toString().padStart(9, '0')}`;
    const bodyHash = createHash('sha256').update(id).digest('base64url');
    const at = startAt + number * STEP_MS;
    const common = { id, bodyHash, verdict: 'INSERTED', at, bootId: 'filled' } as const;
    const amount = 1 + Math.floor(random() * 1_000_000);
    if (random() < OPERATION_SHARE) {
      const owner = client();
      const branch = `branch ${Math.floor(random() * 50)}`;
      const content = { client: owner, amount, branch, operationType: 'DEPOSIT' };
      return { collection: OPERATIONS, record: { ...common, content, lookup: { clients: [owner] } } };
    }
    const [sender, receiver] = [client(), client()];
    const clients = sender === receiver ? [sender] : [sender, receiver];
    return {
      collection: TRANSACTIONS,
      record: { ...common, content: { sender, receiver, amount }, lookup: { clients } },
    };
  };
}
