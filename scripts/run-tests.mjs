// Runs jest as native ES modules, on the paths given or on everything, with the services that the suites ask for, and
// closes with one line that counts. With --no-services it starts none: what needs them is skipped.
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { fileURLToPath } from 'node:url';
import { NOT_TO_BE_HAD } from '../test/services/endpoints.ts';
import { neededServices } from '../test/services/needed.ts';
import { provideServices, withoutServices } from '../test/services/shared.ts';

const root = path.dirname(path.dirname(fileURLToPath(import.meta.url)));
const NO_SERVICES = '--no-services';
const args = process.argv.slice(2).filter((arg) => arg !== NO_SERVICES);
const withServices = !process.argv.includes(NO_SERVICES);
const jest = [
  '--experimental-vm-modules',
  '--disable-warning=ExperimentalWarning',
  path.join(root, 'node_modules', 'jest', 'bin', 'jest.js'),
];

/** The child that a signal is passed on to; without one the signal ends this process, and the servers with it. */
let child;
let interrupted = false;
for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP']) {
  process.on(signal, () => {
    interrupted = true;
    if (child === undefined) process.exit(1);
    child.kill('SIGTERM');
  });
}

const services = withServices ? await provideServices(neededServices(selectedFiles())) : withoutServices();
for (const [name, reason] of withServices ? services.unavailable : []) {
  process.stderr.write(`${name} ${NOT_TO_BE_HAD}, its suites are skipped: ${reason}\n`);
}
let results;
try {
  results = await runJest(services.env);
} finally {
  await services.stop();
}
process.exitCode = report(results);

function selectedFiles() {
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    [...jest, '--listTests', '--json', ...args],
    {
      cwd: root,
      encoding: 'utf8',
    },
  );
  if (status === 0) return JSON.parse(stdout);
  process.stderr.write(stderr);
  process.exit(status ?? 1);
}

async function runJest(env) {
  const folder = mkdtempSync(path.join(tmpdir(), 'mini-platform-tests-'));
  const file = path.join(folder, 'report.json');
  try {
    // Jest prints its report on standard error; the JSON that it would print on standard output is in the file.
    child = spawn(process.execPath, [...jest, '--json', `--outputFile=${file}`, ...args], {
      cwd: root,
      stdio: ['ignore', 'ignore', 'inherit'],
      env: { ...process.env, ...env },
    });
    const [status] = await once(child, 'exit');
    child = undefined;
    return { status, ...readReport(file) };
  } finally {
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The service that a suite lacks, by the name of its skipped test, and why. */
function reasonIn(test) {
  const [lack, name] = new RegExp(`(\\w+) ${NOT_TO_BE_HAD}`).exec(test) ?? ['', ''];
  const [reason = 'no endpoint is given'] = services.unavailable.get(name)?.split('\n') ?? [];
  return `${lack}: ${reason}`;
}

function readReport(file) {
  try {
    return JSON.parse(readFileSync(file, 'utf8'));
  } catch {
    process.stderr.write('jest wrote no report\n');
    return { numPassedTests: 0, numFailedTests: 1, testResults: [] };
  }
}

/** Prints what did not run and the line that counts; returns the exit code. */
function report({ status, numPassedTests, numFailedTests, testResults }) {
  const skipped = testResults.flatMap(({ name, assertionResults }) =>
    assertionResults
      .filter((test) => test.status === 'pending' || test.status === 'todo')
      .map((test) => ({ suite: path.relative(root, name), test: test.fullName })),
  );
  const isForWantOfService = ({ test }) => test.includes(NOT_TO_BE_HAD);
  for (const { suite, test } of skipped) {
    if (!isForWantOfService({ test })) process.stdout.write(`skipped: ${suite}: ${test}\n`);
  }
  const notRun = new Set(skipped.filter(isForWantOfService).map(({ suite }) => suite));
  for (const suite of notRun) {
    const reasons = skipped.filter((test) => test.suite === suite).flatMap(({ test }) => reasonIn(test));
    process.stdout.write(`not run, or not all of it: ${suite}: ${[...new Set(reasons)].join('; ')}\n`);
  }
  // A suite that could not be loaded has no failed test, but it is a failure all the same.
  const brokenSuites = testResults.filter(
    ({ status: outcome, assertionResults }) =>
      outcome === 'failed' && !assertionResults.some((test) => test.status === 'failed'),
  ).length;
  const lacking = withServices && process.env.CI === 'true' ? notRun.size : 0;
  const failed = numFailedTests + brokenSuites + lacking;
  const tail = skipped.length > 0 ? `, ${skipped.length} skipped` : '';
  process.stdout.write(`${numPassedTests} passed, ${failed} failed${tail}\n`);
  if (interrupted) return 1;
  return failed > 0 ? 1 : (status ?? 1);
}
