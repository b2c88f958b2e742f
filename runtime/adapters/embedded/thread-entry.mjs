// Where a database thread begins. JavaScript on purpose: with the compile cache on before the first TypeScript is
// loaded, the thread never loads Node's type stripper, which takes some 15 MB of memory in each thread.
import { enableCompileCache } from 'node:module';
import { workerData } from 'node:worker_threads';

if (workerData.compileCache !== undefined) enableCompileCache(workerData.compileCache);

await import(workerData.script);
