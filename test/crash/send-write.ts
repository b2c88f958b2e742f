import type { EventBody } from './events.ts';
import type { HttpClient } from './http-client.ts';
import type { Ledger, Said } from './ledger.ts';
import { saidBy } from './said.ts';

export interface WriteRequest {
  readonly body: EventBody;
  readonly id: string | undefined;
  /** Whether the id goes into the body, in place of the header. */
  readonly inBody?: boolean;
}

/** Sends a write and takes down what was said. */
export async function sendWrite(http: HttpClient, ledger: Ledger, request: WriteRequest): Promise<Said> {
  const { body, id, inBody = false } = request;
  const { history, attempt } = ledger.send(body, id, Date.now());
  const { type, ...content } = body;
  const answer = await http.ask({
    method: 'POST',
    path: `/${type}`,
    idempotencyKey: inBody ? undefined : id,
    body: inBody && id !== undefined ? { ...content, id } : content,
  });
  const said = saidBy(answer, id);
  ledger.answer(history, attempt, said);
  return said;
}
