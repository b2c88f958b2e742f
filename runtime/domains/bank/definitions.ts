import {
  BankOperation,
  BankOperationRequest,
  FetchEventsResponse,
  FetchNamesResponse,
  FetchRequest,
  Transaction,
  TransactionRequest,
} from '../../generated/miniplatform/bank/v1/bank.ts';
import { type Operation, readOperation, writeOperation } from '../../domain-kit/operation.ts';

/** Money from one client to another. */
export const transaction = writeOperation({
  name: 'bank.transaction',
  request: TransactionRequest,
  response: Transaction,
  parked: true,
});

/** A deposit or a withdrawal at a branch. */
export const bankOperation = writeOperation({
  name: 'bank.operation',
  request: BankOperationRequest,
  response: BankOperation,
  parked: true,
});

/** A client's transactions and operations, newest first. */
export const fetchAll = fetchEvents('bank.fetchAll');
export const fetchTransactions = fetchEvents('bank.fetchTransactions');
export const fetchOperations = fetchEvents('bank.fetchOperations');

/** With whom a client has dealt, and where; newest first. */
export const fetchInteractions = fetchNames('bank.fetchInteractions');
export const fetchBranches = fetchNames('bank.fetchBranches');

/** All of the bank's operations. */
export const operations = [
  transaction,
  bankOperation,
  fetchAll,
  fetchTransactions,
  fetchOperations,
  fetchInteractions,
  fetchBranches,
] as const;

function fetchEvents(name: string): Operation<FetchRequest, FetchEventsResponse> {
  return readOperation({ name, request: FetchRequest, response: FetchEventsResponse });
}

function fetchNames(name: string): Operation<FetchRequest, FetchNamesResponse> {
  return readOperation({ name, request: FetchRequest, response: FetchNamesResponse });
}
