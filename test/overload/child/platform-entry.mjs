// JavaScript on purpose, as cli/main.mjs is: the compile cache is on before the first TypeScript is loaded.
import { enableCompileCache } from 'node:module';

enableCompileCache(new URL('../../../node_modules/.cache/mini-platform', import.meta.url).pathname);

const { runSlowPlatform } = await import('./platform.ts');
await runSlowPlatform(JSON.parse(process.argv[2] ?? '{}'));
