#!/usr/bin/env node
// JavaScript on purpose: with the compile cache on before the first TypeScript is loaded, Node takes stripped and
// compiled code from the cache and never loads its type stripper (a third of the start, and 20 MB).
import { enableCompileCache } from 'node:module';

enableCompileCache(new URL('../node_modules/.cache/mini-platform', import.meta.url).pathname);

const { runCommand } = await import('./command.ts');
await runCommand(process.argv);
