import { closeSync, fdatasyncSync, openSync, writeSync } from 'node:fs';
import path from 'node:path';

const WRITES = 300;
const BYTES = 4096;

/** How often per second the disk under a directory confirms an appended block of 4 KiB (write and fdatasync). */
export function measureFsyncRate(directory: string): number {
  const block = new Uint8Array(BYTES).fill(1);
  const file = openSync(path.join(directory, 'fsync-rate'), 'w');
  try {
    const startedAt = performance.now();
    for (let write = 0; write < WRITES; write += 1) {
      writeSync(file, block);
      fdatasyncSync(file);
    }
    return (WRITES * 1000) / (performance.now() - startedAt);
  } finally {
    closeSync(file);
  }
}
