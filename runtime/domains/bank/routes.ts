import type { Dispatch, DomainHttp } from '../../domain-kit/domain.ts';
import {
  answerRead,
  answerWrite,
  eventIdOf,
  nextCursor,
  PageQuery,
  pageOf,
  ParkedJson,
  problems,
  WriteHeaders,
} from '../../domain-kit/http.ts';
import { canonicalName } from '../../domain-kit/name.ts';
import type { Operation } from '../../domain-kit/operation.ts';
import {
  type BankEvent,
  type BankOperation,
  type FetchEventsResponse,
  type FetchNamesResponse,
  type FetchRequest,
  OperationType,
  type Transaction,
} from '../../generated/miniplatform/bank/v1/bank.ts';
import {
  bankOperation,
  fetchAll,
  fetchBranches,
  fetchInteractions,
  fetchOperations,
  fetchTransactions,
  transaction,
} from './definitions.ts';
import {
  ClientPath,
  EventsPage,
  NamesPage,
  OperationBody,
  OperationJson,
  TransactionBody,
  TransactionJson,
} from './schemas.ts';

const tags = ['bank'];

/** The bank's HTTP API. */
export function routes(http: DomainHttp, dispatch: Dispatch): void {
  transactionRoute(http, dispatch);
  operationRoute(http, dispatch);
  eventsRoute(http, dispatch, { list: 'all', operation: fetchAll });
  eventsRoute(http, dispatch, { list: 'transactions', operation: fetchTransactions });
  eventsRoute(http, dispatch, { list: 'operations', operation: fetchOperations });
  namesRoute(http, dispatch, { list: 'interactions', operation: fetchInteractions });
  namesRoute(http, dispatch, { list: 'branches', operation: fetchBranches });
}

function transactionRoute(http: DomainHttp, dispatch: Dispatch): void {
  const schema = {
    tags,
    summary: 'Store a transaction between two clients',
    headers: WriteHeaders,
    body: TransactionBody,
    response: { 200: TransactionJson, 201: TransactionJson, 202: ParkedJson, ...problems },
  };
  http.post('/transaction', { schema }, async (request, reply) => {
    const { id, sender, receiver, amount } = request.body;
    const eventId = eventIdOf(request.headers['idempotency-key'], id);
    const message = { sender: canonicalName(sender), receiver: canonicalName(receiver), amount };
    const outcome = await dispatch.ask(transaction, message, eventId);
    return answerWrite(reply, outcome, { operation: transaction, eventId, json: transactionJson });
  });
}

function operationRoute(http: DomainHttp, dispatch: Dispatch): void {
  const schema = {
    tags,
    summary: 'Store a deposit or a withdrawal at a branch',
    headers: WriteHeaders,
    body: OperationBody,
    response: { 200: OperationJson, 201: OperationJson, 202: ParkedJson, ...problems },
  };
  http.post('/operation', { schema }, async (request, reply) => {
    const { id, client, amount, branch, operationType } = request.body;
    const eventId = eventIdOf(request.headers['idempotency-key'], id);
    const message = {
      client: canonicalName(client),
      amount,
      branch: canonicalName(branch),
      operationType: OperationType[operationType],
    };
    const outcome = await dispatch.ask(bankOperation, message, eventId);
    return answerWrite(reply, outcome, { operation: bankOperation, eventId, json: operationJson });
  });
}

interface List<Res> {
  readonly list: string;
  readonly operation: Operation<FetchRequest, Res>;
}

function eventsRoute(
  http: DomainHttp,
  dispatch: Dispatch,
  { list, operation }: List<FetchEventsResponse>,
): void {
  const summary = list === 'all' ? "A client's transactions and operations" : `A client's ${list}`;
  const schema = {
    tags,
    summary: `${summary}, newest first`,
    params: ClientPath,
    querystring: PageQuery,
    response: { 200: EventsPage, ...problems },
  };
  http.get(`/fetch/${list}/:client`, { schema }, async (request): Promise<EventsPage> => {
    const client = canonicalName(request.params.client);
    const scope = `${list}:${client}`;
    const { events, next } = answerRead(
      await dispatch.ask(operation, { client, ...pageOf(request.query, scope) }),
    );
    return { items: events.map(eventJson), cursor: nextCursor(scope, next) };
  });
}

function namesRoute(
  http: DomainHttp,
  dispatch: Dispatch,
  { list, operation }: List<FetchNamesResponse>,
): void {
  const schema = {
    tags,
    summary: list === 'branches' ? 'The branches that a client has used' : 'With whom a client has dealt',
    params: ClientPath,
    querystring: PageQuery,
    response: { 200: NamesPage, ...problems },
  };
  http.get(`/fetch/${list}/:client`, { schema }, async (request): Promise<NamesPage> => {
    const client = canonicalName(request.params.client);
    const scope = `${list}:${client}`;
    const { names, next } = answerRead(
      await dispatch.ask(operation, { client, ...pageOf(request.query, scope) }),
    );
    const items = names.map(({ name, since }) => ({ name, since: new Date(since).toISOString() }));
    return { items, cursor: nextCursor(scope, next) };
  });
}

function eventJson({ event }: BankEvent): TransactionJson | OperationJson {
  if (event === undefined) throw new Error('an event without content');
  return event.$case === 'transaction' ? transactionJson(event.value) : operationJson(event.value);
}

function transactionJson({ id, sender, receiver, amount, at }: Transaction): TransactionJson {
  return { type: 'transaction', id, sender, receiver, amount, at: new Date(at).toISOString() };
}

function operationJson({ id, client, amount, branch, operationType, at }: BankOperation): OperationJson {
  return {
    type: 'operation',
    id,
    client,
    amount,
    branch,
    operationType: operationType === OperationType.DEPOSIT ? 'DEPOSIT' : 'WITHDRAW',
    at: new Date(at).toISOString(),
  };
}
