import { existsSync, readFileSync } from 'node:fs';
import path from 'node:path';
import { SERVICE_NAMES, type ServiceName } from './endpoints.ts';

/** What test suites ask for. */
export interface Needed {
  /** Services that the whole run shares: `testEndpoint('kafka')`. */
  readonly shared: ReadonlySet<ServiceName>;
  /** Kinds of servers that suites start themselves: `ownServers('kafka')`. */
  readonly own: ReadonlySet<ServiceName>;
}

/** Uses, with the name if it is written there; what is followed by a comma or a brace is an import. */
const TEST_ENDPOINT = /(?<!function )\btestEndpoint\b(?! ?[,}])(?:\('(\w+)'\))?/g;
const OWN_SERVERS = /(?<!function )\bownServers\b(?! ?[,}])(?:\('(\w+)'\))?/g;
const IMPORT = /\bfrom '(\.[^']+)'|\bimport\('(\.[^']+)'\)/g;

/** What these files ask for, with all that they import. A call without a name between its quotes asks for everything. */
export function neededServices(testFiles: readonly string[]): Needed {
  const sources = [...withImports(testFiles)].map((file) => readFileSync(file, 'utf8'));
  return { shared: askedFor(TEST_ENDPOINT, sources), own: askedFor(OWN_SERVERS, sources) };
}

function askedFor(uses: RegExp, sources: readonly string[]): ReadonlySet<ServiceName> {
  const names = sources.flatMap((text) => [...text.matchAll(uses)].map(([, name]) => name));
  return new Set(SERVICE_NAMES.filter((service) => names.includes(service) || names.includes(undefined)));
}

function withImports(files: readonly string[]): ReadonlySet<string> {
  const found = new Set(files);
  // A set that grows while it is gone through: what is added is gone through as well.
  for (const file of found) {
    for (const [, first, second] of readFileSync(file, 'utf8').matchAll(IMPORT)) {
      const imported = path.resolve(path.dirname(file), first ?? second ?? '');
      if (imported.endsWith('.ts') && existsSync(imported)) found.add(imported);
    }
  }
  return found;
}
