import { type Domain, serve } from '../../runtime/domain-kit/domain.ts';
import { answerRead } from '../../runtime/domain-kit/http.ts';
import { type Codec, readOperation } from '../../runtime/domain-kit/operation.ts';

const NOTHING = new Uint8Array(0);
const empty: Codec<object> = { encode: () => ({ finish: () => NOTHING }), decode: () => ({}) };

const noop = readOperation({ name: 'noop.noop', request: empty, response: empty });

/** An operation that does nothing: what is left is the way through HTTP, link and worker. */
export const noopDomain: Domain = {
  name: 'noop',
  operations: [noop],
  collections: [],
  topics: [],
  routes: (http, dispatch) => {
    http.get('/noop', async () => {
      answerRead(await dispatch.ask(noop, {}));
      return { ok: true };
    });
  },
  serve: () => [
    serve(noop, (calls) =>
      Promise.resolve(calls.map(() => ({ verdict: 'ANSWERED', response: {} }) as const)),
    ),
  ],
};
