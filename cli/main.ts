#!/usr/bin/env node
import { enableCompileCache } from 'node:module';

// Stripping and compiling half a thousand modules costs more than everything else at start, so it is done once.
// It must be on before they are loaded, hence the dynamic import.
enableCompileCache(new URL('../node_modules/.cache/mini-platform', import.meta.url).pathname);

const { runCommand } = await import('./command.ts');
await runCommand(process.argv);
