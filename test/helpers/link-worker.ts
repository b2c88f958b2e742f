// A worker in a process of its own, for tests that kill it. It answers requests that begin with `echo` only.
import { answered, startWorker } from './link-pair.ts';

const worker = await startWorker({
  handle: ({ request, settle }) => {
    if (new TextDecoder().decode(request).startsWith('echo')) settle(answered(request));
    else process.stdout.write('held\n');
  },
});
process.stdout.write(`port ${worker.port}\n`);
