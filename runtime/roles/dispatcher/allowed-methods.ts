import type { FastifyInstance } from 'fastify';
import createRouter, { type HTTPMethod } from 'find-my-way';

const KNOWN: readonly HTTPMethod[] = ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'OPTIONS'];

/** The methods that a path answers to, for the Allow header; built from the routes as they are registered. */
export function trackAllowedMethods(http: FastifyInstance): (url: string) => readonly string[] {
  const router = createRouter({ maxParamLength: 2_048 });
  const methods = new Set<HTTPMethod>();
  http.addHook('onRoute', ({ method, url }) => {
    for (const name of [method].flat()) {
      const each = KNOWN.find((known) => known === name);
      if (each === undefined) continue;
      methods.add(each);
      if (!router.hasRoute(each, url)) router.on(each, url, () => {});
    }
  });
  return (url) => {
    const [path = '/'] = url.split('?');
    return [...methods].filter((method) => router.find(method, path) !== null).sort();
  };
}
