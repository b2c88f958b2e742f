import { changedPaths } from '../../resource/diff.ts';
import type { MiniPlatform } from '../../resource/generated/mini-platform.ts';
import { readResource, watchResource } from './resource-file.ts';
import type { Terminal } from './terminal.ts';

export interface LiveEditOptions {
  readonly file: string;
  readonly resource: MiniPlatform;
  /** The file's text that the resource was read from. */
  readonly text: string;
  readonly terminal: Terminal;
  /** Brings the number of workers to this; resolves when it is so. */
  readonly scale: (replicas: number) => Promise<void>;
}

const REPLICAS = 'spec.worker.replicas';

/** Follows the file while the platform runs. Returns how to end that. */
export function followFile(options: LiveEditOptions): () => void {
  const { file, terminal, scale } = options;
  let current = options.resource;
  return watchResource(file, options.text, () => {
    const content = readResource(file);
    if (!content.ok) {
      for (const message of content.messages) terminal.warn(message);
      terminal.warn('The file was not taken over; the platform runs on as it was.');
      return;
    }
    const changed = changedPaths(current, content.resource);
    const fixed = changed.filter((path) => path !== REPLICAS);
    if (content.resource.metadata.name !== current.metadata.name) fixed.push('metadata.name');
    if (fixed.length > 0) terminal.warn(`These changes need a restart: ${fixed.join(', ')}`);
    if (!changed.includes(REPLICAS)) return;
    const { replicas } = content.resource.spec.worker;
    const before = current.spec.worker.replicas;
    // Only the replicas are in force: the other fields are still those of the start.
    current = withReplicas(current, replicas);
    terminal.line(`  Scaling from ${before} to ${replicas} workers ...`);
    scale(replicas).catch((error: unknown) =>
      terminal.warn(`Scaling to ${replicas} workers failed: ${String(error)}`),
    );
  });
}

function withReplicas(resource: MiniPlatform, replicas: number): MiniPlatform {
  const { spec } = resource;
  return { ...resource, spec: { ...spec, worker: { ...spec.worker, replicas } } };
}
