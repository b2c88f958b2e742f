import { type BatchHandler, type DomainPorts, serve, type ServedOperation } from '../../domain-kit/domain.ts';
import type { DerivedSet } from '../../domain-kit/derived-set.ts';
import { failed, type Outcome } from '../../domain-kit/outcome.ts';
import { serveEvents } from '../../domain-kit/serve-events.ts';
import {
  type FetchEventsResponse,
  type FetchNamesResponse,
  type FetchRequest,
  OperationType,
} from '../../generated/miniplatform/bank/v1/bank.ts';
import { PortError } from '../../ports/port-error.ts';
import {
  bankOperation,
  fetchAll,
  fetchBranches,
  fetchInteractions,
  fetchOperations,
  fetchTransactions,
  transaction,
} from './definitions.ts';
import { judgeByFraudList } from './fraud.ts';
import {
  branchOf,
  type BankSets,
  bankSets,
  eventPage,
  operationContent,
  operationOf,
  OPERATIONS,
  partner,
  SOURCES,
  transactionContent,
  transactionOf,
  TRANSACTIONS,
} from './store.ts';

/** The bank's handlers in a worker. */
export function serveBank(ports: DomainPorts): readonly ServedOperation[] {
  const sets = bankSets(ports);
  return [
    ...serveTransactions(ports, sets),
    ...serveOperations(ports, sets),
    serve(fetchAll, eventsReader(ports, ['operation', 'transaction'])),
    serve(fetchTransactions, eventsReader(ports, ['transaction'])),
    serve(fetchOperations, eventsReader(ports, ['operation'])),
    serve(fetchInteractions, namesReader(sets.interactions)),
    serve(fetchBranches, namesReader(sets.branches)),
  ];
}

function serveTransactions(ports: DomainPorts, sets: BankSets): readonly ServedOperation[] {
  return serveEvents(transaction, {
    collection: TRANSACTIONS,
    ports,
    judge: (requests) =>
      judgeByFraudList(
        ports.cache,
        requests.map(({ receiver }) => receiver),
      ),
    content: transactionContent,
    lookup: ({ sender, receiver }) => ({ clients: sender === receiver ? [sender] : [sender, receiver] }),
    derive: (record) => {
      const { sender, receiver } = transactionOf(record);
      return [sender, receiver].flatMap((client) => {
        const members = partner(record, client);
        return members.length === 0 ? [] : sets.interactions.additions(client, members);
      });
    },
    respond: transactionOf,
  });
}

function serveOperations(ports: DomainPorts, sets: BankSets): readonly ServedOperation[] {
  return serveEvents(bankOperation, {
    collection: OPERATIONS,
    ports,
    judge: (requests) =>
      judgeByFraudList(
        ports.cache,
        requests.map(({ client, operationType }) =>
          operationType === OperationType.WITHDRAW ? client : undefined,
        ),
      ),
    content: operationContent,
    lookup: ({ client }) => ({ clients: [client] }),
    derive: (record) => sets.branches.additions(operationOf(record).client, branchOf(record)),
    respond: operationOf,
  });
}

function eventsReader(
  { documents }: DomainPorts,
  kinds: readonly string[],
): BatchHandler<FetchRequest, FetchEventsResponse> {
  const sources = SOURCES.filter(({ kind }) => kinds.includes(kind));
  return eachOf(({ client, limit, after }) => eventPage(documents, sources, { client, limit, after }));
}

function namesReader(set: DerivedSet): BatchHandler<FetchRequest, FetchNamesResponse> {
  return eachOf(async ({ client, limit, after }) => {
    const from = after === undefined ? {} : { after: { member: after.id, score: after.at } };
    const { members } = await set.page(client, { ...from, limit: limit + 1 });
    const page = members.slice(0, limit);
    const last = page.at(-1);
    return {
      names: page.map(({ member, score }) => ({ name: member, since: score })),
      next:
        members.length > limit && last !== undefined
          ? { at: last.score, kind: '', id: last.member }
          : undefined,
    };
  });
}

/** Answers each read of a batch on its own: one that fails takes no other with it. */
function eachOf<Res>(read: (request: FetchRequest) => Promise<Res>): BatchHandler<FetchRequest, Res> {
  return (calls) =>
    Promise.all(
      calls.map(async ({ request }): Promise<Outcome<Res>> => {
        try {
          return { verdict: 'ANSWERED', response: await read(request) };
        } catch (error) {
          if (error instanceof PortError) return failed('STORE_UNAVAILABLE', error.message, true);
          throw error;
        }
      }),
    );
}
