import { type Static, Type } from 'typebox';
import { Amount, EventId, Name } from '../../domain-kit/http.ts';

/** When it was stored. */
const At = Type.String({ format: 'date-time', description: 'when it was stored' });

export const OperationTypeName = Type.Enum(['DEPOSIT', 'WITHDRAW']);

export const TransactionBody = Type.Object(
  { id: Type.Optional(EventId), sender: Name, receiver: Name, amount: Amount },
  { additionalProperties: false },
);

export const OperationBody = Type.Object(
  {
    id: Type.Optional(EventId),
    client: Name,
    amount: Amount,
    branch: Name,
    operationType: OperationTypeName,
  },
  { additionalProperties: false },
);

export const TransactionJson = Type.Object({
  type: Type.Literal('transaction'),
  id: Type.String(),
  sender: Type.String(),
  receiver: Type.String(),
  amount: Type.Integer(),
  at: At,
});

export const OperationJson = Type.Object({
  type: Type.Literal('operation'),
  id: Type.String(),
  client: Type.String(),
  amount: Type.Integer(),
  branch: Type.String(),
  operationType: OperationTypeName,
  at: At,
});

const Cursor = Type.Union([Type.String(), Type.Null()], {
  description: 'pass it on to get the next page; null on the last one',
});

export const EventsPage = Type.Object({
  items: Type.Array(Type.Union([TransactionJson, OperationJson])),
  cursor: Cursor,
});

export const NamesPage = Type.Object({
  items: Type.Array(Type.Object({ name: Type.String(), since: At })),
  cursor: Cursor,
});

export const ClientPath = Type.Object({ client: Name }, { additionalProperties: false });

export type TransactionJson = Static<typeof TransactionJson>;
export type OperationJson = Static<typeof OperationJson>;
export type EventsPage = Static<typeof EventsPage>;
export type NamesPage = Static<typeof NamesPage>;
