import { Type } from 'typebox';
import { type Domain, type DomainPorts, serve } from '../../runtime/domain-kit/domain.ts';
import { answerRead, answerWrite, eventIdOf, Name, WriteHeaders } from '../../runtime/domain-kit/http.ts';
import { type Codec, readOperation, writeOperation } from '../../runtime/domain-kit/operation.ts';
import { serveEvents } from '../../runtime/domain-kit/serve-events.ts';

interface Signature {
  readonly book: string;
  readonly name: string;
}

/** JSON in place of protobuf: a codec is all that the contract asks for. */
function jsonCodec<T>(): Codec<T> {
  return {
    encode: (message) => ({ finish: () => Buffer.from(JSON.stringify(message)) }),
    decode: (bytes) => JSON.parse(Buffer.from(bytes).toString()) as T,
  };
}

const sign = writeOperation({
  name: 'guestbook.sign',
  request: jsonCodec<Signature>(),
  response: jsonCodec<Signature & { readonly servedBy: string }>(),
  parked: false,
  key: ({ book }) => book,
});

const notes = readOperation({
  name: 'guestbook.notes',
  request: jsonCodec<{ readonly id: string }>(),
  response: jsonCodec<{ readonly text: string | null }>(),
});

export const NOTES_TOPIC = 'guestbook_notes';

/**
 * A second domain, unlike the bank: its writes have a key, so one worker leads each book; notes come in through
 * the log; a task runs on a schedule. It shows that the contract holds for more than the domain it grew with.
 */
export const guestbook: Domain = {
  name: 'guestbook',
  operations: [sign, notes],
  collections: [
    { name: 'guestbook_signatures', indexes: [] },
    { name: 'guestbook_notes', indexes: [] },
    { name: 'guestbook_sweeps', indexes: [] },
  ],
  topics: [
    { name: 'long_term_storage', partitions: 4, compacted: false },
    { name: NOTES_TOPIC, partitions: 3, compacted: false },
  ],
  routes: (http, dispatch) => {
    const body = Type.Object({ name: Name }, { additionalProperties: false });
    const params = Type.Object({ book: Name });
    http.post('/books/:book', { schema: { body, params, headers: WriteHeaders } }, async (request, reply) => {
      const eventId = eventIdOf(request.headers['idempotency-key'], undefined);
      const message = { book: request.params.book, name: request.body.name };
      const outcome = await dispatch.ask(sign, message, eventId);
      return answerWrite(reply, outcome, { operation: sign, eventId, json: (signature) => signature });
    });
    http.get('/notes/:id', { schema: { params: Type.Object({ id: Type.String() }) } }, async (request) =>
      answerRead(await dispatch.ask(notes, { id: request.params.id })),
    );
  },
  serve: (ports) => [
    ...serveEvents(sign, {
      collection: 'guestbook_signatures',
      ports,
      judge: (requests) => Promise.resolve(requests.map(() => 'accept')),
      content: ({ book, name }) => ({ book, name }),
      lookup: () => ({}),
      derive: () => [],
      respond: ({ content, bootId }) => ({
        book: textOf(content['book']),
        name: textOf(content['name']),
        servedBy: bootId,
      }),
    }),
    serve(notes, (calls) => Promise.all(calls.map(({ request }) => readNote(ports, request.id)))),
  ],
  flows: ({ documents }) => [
    {
      topic: NOTES_TOPIC,
      apply: async (records) => {
        const found = records.map(({ key, value }) => ({
          _id: key ?? '',
          text: Buffer.from(value ?? []).toString(),
        }));
        await documents.insertMany('guestbook_notes', found);
      },
    },
  ],
  background: ({ documents, bootId }) => [
    {
      name: 'guestbook.sweep',
      everyMs: 20,
      run: () => documents.replace('guestbook_sweeps', { _id: 'last', by: bootId }),
    },
  ],
};

function textOf(value: unknown): string {
  return typeof value === 'string' ? value : '';
}

async function readNote(
  { documents }: DomainPorts,
  id: string,
): Promise<{ readonly verdict: 'ANSWERED'; readonly response: { readonly text: string | null } }> {
  const [found] = await documents.findByIds('guestbook_notes', [id]);
  const text = found?.['text'];
  return { verdict: 'ANSWERED', response: { text: typeof text === 'string' ? text : null } };
}
