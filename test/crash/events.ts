/** What a client wants to be stored. */
export type EventBody =
  | {
      readonly type: 'transaction';
      readonly sender: string;
      readonly receiver: string;
      readonly amount: number;
    }
  | {
      readonly type: 'operation';
      readonly client: string;
      readonly amount: number;
      readonly branch: string;
      readonly operationType: 'DEPOSIT' | 'WITHDRAW';
    };

/** An event as the platform shows it. */
export type StoredEvent = EventBody & { readonly id: string; readonly at: string };

/** Names of one event: ids are scoped by type. */
export function keyOf({ type, id }: { readonly type: EventBody['type']; readonly id: string }): string {
  return `${type}/${id}`;
}

/** Whose lists show the event. */
export function clientsOf(body: EventBody): readonly string[] {
  if (body.type === 'operation') return [body.client];
  return body.sender === body.receiver ? [body.sender] : [body.sender, body.receiver];
}

/** The same text for the same content, whatever the order of its fields. */
export function contentOf(body: EventBody): string {
  return body.type === 'transaction'
    ? JSON.stringify([body.type, body.sender, body.receiver, body.amount])
    : JSON.stringify([body.type, body.client, body.amount, body.branch, body.operationType]);
}

/** Content, id and time: two stored events are one if these agree. */
export function factsOf(event: StoredEvent): string {
  return `${contentOf(event)} ${event.id} ${event.at}`;
}

/** Whether the fraud list decides against it: receivers and those who withdraw are looked at. */
export function isFraudulent(body: EventBody, fraudsters: ReadonlySet<string>): boolean {
  if (body.type === 'transaction') return fraudsters.has(body.receiver);
  return body.operationType === 'WITHDRAW' && fraudsters.has(body.client);
}

/** Takes an event out of an answer or an archived record. Undefined when it is none. */
export function parseEvent(value: unknown): StoredEvent | undefined {
  if (typeof value !== 'object' || value === null) return undefined;
  const event = value as Partial<Record<string, unknown>>;
  const texts =
    event['type'] === 'transaction' ? ['sender', 'receiver'] : ['client', 'branch', 'operationType'];
  if (event['type'] !== 'transaction' && event['type'] !== 'operation') return undefined;
  const allTexts = [...texts, 'id', 'at'].every((field) => typeof event[field] === 'string');
  return allTexts && typeof event['amount'] === 'number' ? (value as StoredEvent) : undefined;
}
