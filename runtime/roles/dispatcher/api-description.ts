import swagger from '@fastify/swagger';
import swaggerUi from '@fastify/swagger-ui';
import type { FastifyInstance } from 'fastify';

/** The page needs no bar to enter other descriptions, and no logo of its tool. */
const PAGE_CSS = '.swagger-ui .topbar { display: none }';

/** Describes every route that is added later (OpenAPI, /docs/json), on a page at /docs. */
export async function describeApi(http: FastifyInstance, version: string): Promise<void> {
  await http.register(swagger, {
    openapi: {
      openapi: '3.1.0',
      info: {
        title: 'mini-platform',
        version,
        description:
          'Errors are RFC 9457 problem documents with a stable `code`. ' +
          'Writes take an `Idempotency-Key`: the same key with the same body is stored once and answered the same. ' +
          'Lists are paged: pass on the `cursor` of each answer to get the next page.',
        license: { name: 'Apache-2.0', url: 'https://www.apache.org/licenses/LICENSE-2.0' },
      },
    },
  });
  await http.register(swaggerUi, {
    routePrefix: '/docs',
    theme: { title: 'mini-platform API', css: [{ filename: 'page.css', content: PAGE_CSS }] },
    uiConfig: { tagsSorter: 'alpha', tryItOutEnabled: true },
  });
}
