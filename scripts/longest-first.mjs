// The order in which jest runs the suites: the few that take minutes first, so that they do not come last alone while a
// worker of jest has nothing to do; then the larger files, which mostly take longer.
import { statSync } from 'node:fs';
import path from 'node:path';

const LONGEST = [
  'test/faults/faults.test.ts',
  'test/crash/crash.test.ts',
  'test/contract/embedded.test.ts',
  'test/overload/overload.test.ts',
  'test/redis/failover.test.ts',
  'test/contract/kafka-faults.test.ts',
  'test/archiver/faults.test.ts',
];

export default class LongestFirst {
  sort(tests) {
    const rank = ({ path: file, context }) => {
      const place = LONGEST.indexOf(path.relative(context.config.rootDir, file).split(path.sep).join('/'));
      return place < 0 ? LONGEST.length : place;
    };
    return [...tests].sort((a, b) => rank(a) - rank(b) || statSync(b.path).size - statSync(a.path).size);
  }

  cacheResults() {
    // How long they took last time does not matter: the order is the same everywhere.
  }
}
