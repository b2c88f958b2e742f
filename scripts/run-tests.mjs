// Runs jest as native ES modules, on the paths given or on everything, and closes with one line that counts.
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const folder = mkdtempSync(path.join(tmpdir(), 'mini-platform-tests-'));
const report = path.join(folder, 'report.json');

const { status } = spawnSync(
  process.execPath,
  [
    '--experimental-vm-modules',
    '--disable-warning=ExperimentalWarning',
    path.join(root, 'node_modules', 'jest', 'bin', 'jest.js'),
    '--json',
    `--outputFile=${report}`,
    ...process.argv.slice(2),
  ],
  // Jest prints its report on standard error; the JSON that it would print on standard output is in the file.
  { cwd: root, stdio: ['ignore', 'ignore', 'inherit'] },
);

let counts = { numPassedTests: 0, numFailedTests: 1, numPendingTests: 0, testResults: [] };
try {
  counts = JSON.parse(readFileSync(report, 'utf8'));
} catch {
  process.stderr.write('jest wrote no report\n');
}
rmSync(folder, { recursive: true, force: true });

const skipped = counts.testResults.flatMap(({ name, assertionResults }) =>
  assertionResults
    .filter((test) => test.status === 'pending' || test.status === 'todo')
    .map((test) => `${path.relative(root, name)}: ${test.fullName}`),
);
for (const test of skipped) process.stdout.write(`skipped: ${test}\n`);
// A suite that could not be loaded has no failed test, but it is a failure all the same.
const brokenSuites = counts.testResults.filter(
  ({ status: outcome, assertionResults }) =>
    outcome === 'failed' && !assertionResults.some((test) => test.status === 'failed'),
).length;
const failed = counts.numFailedTests + brokenSuites;
const tail = skipped.length > 0 ? `, ${skipped.length} skipped` : '';
process.stdout.write(`${counts.numPassedTests} passed, ${failed} failed${tail}\n`);
process.exitCode = failed > 0 ? 1 : (status ?? 1);
