import path from 'node:path';
import { ensureBuilt } from './built.ts';
import { requireTools, run } from './tools.ts';

export interface GoProgram {
  readonly name: string;
  readonly version: string;
  /** Its package, as `go install` takes it. */
  readonly package: string;
  /** How long that takes where nothing is there yet, such as `1 minute`. */
  readonly takes: string;
}

/** The file of a program that `go install` makes; builds it once. */
export async function goProgram(program: GoProgram): Promise<string> {
  const { name, version, takes } = program;
  const folder = await ensureBuilt({
    folder: `${name}-${version}`,
    what: `${name} ${version}, from its source (${takes})`,
    async build(into) {
      requireTools(['go'], 'install Go from https://go.dev/dl');
      const env = { GOBIN: into, CGO_ENABLED: '0' };
      await run('go', ['install', '-trimpath', `${program.package}@v${version}`], { env });
    },
  });
  return path.join(folder, name);
}
