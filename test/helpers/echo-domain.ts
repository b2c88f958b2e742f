import { Type } from 'typebox';
import { type Domain, serve } from '../../runtime/domain-kit/domain.ts';
import { answerRead } from '../../runtime/domain-kit/http.ts';
import { type Codec, readOperation } from '../../runtime/domain-kit/operation.ts';
import type { Outcome } from '../../runtime/domain-kit/outcome.ts';

/** What is said, with an optional key that chooses who hears it. */
export interface Saying {
  readonly text: string;
  readonly key?: string;
}

/** What came back, and from which worker. */
export interface Echo {
  readonly text: string;
  readonly worker: string;
}

function jsonCodec<T>(): Codec<T> {
  return {
    encode: (message) => ({ finish: () => Buffer.from(JSON.stringify(message)) }),
    decode: (input) => JSON.parse(Buffer.from(input).toString()) as T,
  };
}

const options = { request: jsonCodec<Saying>(), response: jsonCodec<Echo>() };

/** Any worker answers. */
export const say = readOperation({ name: 'echo.say', ...options });
/** The owner of the key answers. */
export const sayTo = readOperation({ name: 'echo.sayTo', ...options, key: ({ key = '' }: Saying) => key });

/** A domain that needs no store. `hold`, where it is given, is waited for before each answer of this worker. */
export function echoDomain(worker: string, hold: (text: string) => Promise<void> | void = () => {}): Domain {
  const handle = (calls: readonly { readonly request: Saying }[]): Promise<readonly Outcome<Echo>[]> =>
    Promise.all(
      calls.map(async ({ request: { text } }) => {
        await hold(text);
        return { verdict: 'ANSWERED' as const, response: { text, worker } };
      }),
    );
  const schema = { body: Type.Object({ text: Type.String(), key: Type.Optional(Type.String()) }) };
  return {
    name: 'echo',
    operations: [say, sayTo],
    collections: [],
    topics: [],
    routes: (http, dispatch) => {
      http.post('/say', { schema }, async ({ body }) =>
        answerRead(await dispatch.ask(body.key === undefined ? say : sayTo, body)),
      );
    },
    serve: () => [
      serve(say, handle, { maxBatch: 1, concurrency: 64 }),
      serve(sayTo, handle, { maxBatch: 1, concurrency: 64 }),
    ],
  };
}
