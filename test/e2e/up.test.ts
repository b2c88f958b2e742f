import { execFile } from 'node:child_process';
import { createServer } from 'node:net';
import { mkdir, writeFile } from 'node:fs/promises';
import path from 'node:path';
import { promisify } from 'node:util';
import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import {
  CommandRun,
  createWorkspace,
  type RunningPlatform,
  startPlatform,
  type Workspace,
} from '../helpers/command.ts';

const shell = promisify(execFile);

let workspace: Workspace;
let runs: CommandRun[] = [];

beforeEach(async () => {
  workspace = await createWorkspace();
});

afterEach(async () => {
  await Promise.all(runs.map((run) => run.stop('SIGKILL')));
  runs = [];
  await workspace.remove();
});

async function up(): Promise<RunningPlatform> {
  const platform = await startPlatform(workspace);
  runs.push(platform.run);
  return platform;
}

function command(...args: readonly string[]): CommandRun {
  const run = new CommandRun(args);
  runs.push(run);
  return run;
}

async function pay(url: string, key: string): Promise<{ status: number; body: unknown }> {
  const response = await fetch(`${url}/transaction`, {
    method: 'POST',
    headers: { 'content-type': 'application/json', 'idempotency-key': key },
    body: JSON.stringify({ sender: 'alice', receiver: 'bob', amount: 1250 }),
  });
  return { status: response.status, body: await response.json() };
}

describe('up', () => {
  test('prints curl lines that work, drains on SIGINT and ends well', async () => {
    const { run } = await up();
    await run.printed(/Ctrl-C drains and stops/);
    const lines = run.stdout.split('\n').filter((line) => line.startsWith('  curl'));
    expect(lines).toHaveLength(3);
    const answers: unknown[] = [];
    for (const line of lines) answers.push(JSON.parse((await shell('sh', ['-c', line])).stdout));
    expect(answers[0]).toMatchObject({ sender: 'alice', receiver: 'bob', amount: 1250 });
    expect(answers[1]).toEqual({ items: [answers[0]], cursor: null });
    expect(answers[2]).toMatchObject({ items: [{ name: 'alice' }], cursor: null });
    expect(await run.stop('SIGINT')).toEqual({ code: 0, signal: null });
    expect(run.stdout).toContain('Stopped; nothing that was answered is lost.');
  });

  test('serves parked writes on a port of its own, for administrators', async () => {
    const { url, adminUrl, metricsUrl } = await up();
    const listed = await fetch(`${adminUrl}/parked`);
    expect(listed.status).toBe(200);
    expect(await listed.json()).toEqual({ items: [], cursor: null });
    expect((await fetch(`${url}/parked`)).status).toBe(404);
    expect((await fetch(`${metricsUrl}/parked`)).status).toBe(404);
    expect((await fetch(`${adminUrl}/fetch/all/alice`)).status).toBe(404);
  });

  test('keeps what it has answered over kill -9, and answers the same again', async () => {
    const first = await up();
    const answers = await Promise.all(
      Array.from({ length: 50 }, (_, index) => pay(first.url, `key-${index}`)),
    );
    expect(answers.map(({ status }) => status)).toEqual(Array.from({ length: 50 }, () => 201));
    await first.run.stop('SIGKILL');
    const second = await up();
    const again = await Promise.all(answers.map((_, index) => pay(second.url, `key-${index}`)));
    expect(again).toEqual(answers.map(({ body }) => ({ status: 200, body })));
    const listed = await fetch(`${second.url}/fetch/all/bob?limit=100`);
    expect(await listed.json()).toMatchObject({ items: { length: 50 }, cursor: null });
  });

  test('finishes requests in flight when it is told to stop', async () => {
    const { run, url } = await up();
    const inFlight = Array.from({ length: 100 }, (_, index) => pay(url, `key-${index}`));
    await inFlight[0];
    const exit = run.stop('SIGTERM');
    const outcomes = await Promise.allSettled(inFlight);
    // A connection that was not accepted yet may be refused; one that was accepted gets its 201.
    const answered = outcomes
      .filter((outcome) => outcome.status === 'fulfilled')
      .map(({ value }) => value.status);
    expect(answered.length).toBeGreaterThan(0);
    expect(new Set(answered)).toEqual(new Set([201]));
    expect(await exit).toEqual({ code: 0, signal: null });
  });

  test('stops at once on a second signal', async () => {
    const { run, url } = await up();
    const { hostname, port } = new URL(url);
    const { Socket } = await import('node:net');
    // A request that never arrives whole keeps the drain waiting.
    const socket = new Socket().on('error', () => {});
    await new Promise<void>((resolve) => socket.connect(Number(port), hostname, resolve));
    socket.write(
      'POST /transaction HTTP/1.1\r\nhost: x\r\ncontent-type: application/json\r\ncontent-length: 100\r\n\r\n{',
    );
    await fetch(`${url}/readyz`);
    run.process.kill('SIGINT');
    await run.printed(/draining/);
    await new Promise((resolve) => setTimeout(resolve, 500));
    expect(await run.stop('SIGINT')).toEqual({ code: 130, signal: null });
    socket.destroy();
  });
});

describe('what is wrong is said in a line, with an exit code that is not 0', () => {
  test('a second process on the same state', async () => {
    await up();
    const second = command(
      'up',
      workspace.file,
      '--port',
      '0',
      '--metrics-port',
      '0',
      '--state-dir',
      path.join(workspace.folder, 'state'),
    );
    expect((await second.exited).code).toBe(1);
    expect(second.stderr.trim().split('\n')).toEqual([expect.stringMatching(/in use by another process/)]);
  });

  test('a taken port', async () => {
    const server = createServer();
    const port = await new Promise<number>((resolve) => {
      server.listen(0, '127.0.0.1', () => {
        const address = server.address();
        resolve(typeof address === 'object' && address !== null ? address.port : 0);
      });
    });
    const state = path.join(workspace.folder, 'state');
    const http = command(
      'up',
      workspace.file,
      '--port',
      String(port),
      '--metrics-port',
      '0',
      '--state-dir',
      state,
    );
    expect((await http.exited).code).toBe(1);
    expect(http.stderr).toContain(`Port ${port} is taken: choose another one with --port.`);
    const metrics = command(
      'up',
      workspace.file,
      '--port',
      '0',
      '--metrics-port',
      String(port),
      '--state-dir',
      state,
    );
    expect((await metrics.exited).code).toBe(1);
    expect(metrics.stderr.trim()).toBe(`Port ${port} is taken: choose another one with --metrics-port.`);
    const ports = ['--port', '0', '--metrics-port', '0', '--admin-port', String(port)];
    const admin = command('up', workspace.file, ...ports, '--state-dir', state, '--log-level', 'error');
    expect((await admin.exited).code).toBe(1);
    expect(admin.stderr.trim()).toBe(`Port ${port} is taken: choose another one with --admin-port.`);
    server.close();
  });

  test('a state directory that cannot be written', async () => {
    const inTheWay = path.join(workspace.folder, 'file');
    await writeFile(inTheWay, '');
    const run = command('up', workspace.file, '--port', '0', '--metrics-port', '0', '--state-dir', inTheWay);
    expect((await run.exited).code).toBe(1);
    expect(run.stderr.trim().split('\n')).toHaveLength(1);
    expect(run.stderr).toContain('--state-dir');
  });

  test('a resource with several mistakes, each with its line', async () => {
    await workspace.write('many', 'replicas: 3\n');
    const run = command('up', workspace.file);
    expect((await run.exited).code).toBe(1);
    expect(run.stderr).toMatch(/bank\.yaml:9:\d+: spec\.worker\.replicas: .*whole number/);
    expect(run.stderr).toMatch(/bank\.yaml:14:\d+: replicas: /);
    expect(run.stdout).toBe('');
  });

  test('a file that does not exist, a folder, an unknown domain', async () => {
    const absent = command('up', path.join(workspace.folder, 'none.yaml'));
    expect((await absent.exited).code).toBe(1);
    expect(absent.stderr).toContain('there is no such file');
    const folder = path.join(workspace.folder, 'folder');
    await mkdir(folder);
    const isFolder = command('up', folder);
    expect((await isFolder.exited).code).toBe(1);
    expect(isFolder.stderr).toContain('a folder');
    await workspace.write(1, '  domains: [casino]\n');
    const domain = command('up', workspace.file);
    expect((await domain.exited).code).toBe(1);
    expect(domain.stderr.trim()).toBe('spec.domains names casino; this build has bank.');
  });

  test('a flag that does not exist, and a port that is none', async () => {
    const flag = command('up', '--prot', '1');
    expect((await flag.exited).code).toBe(2);
    expect(flag.stderr).toContain('--port');
    const port = command('up', '--port', '70000');
    expect((await port.exited).code).toBe(2);
    expect(port.stderr).toContain('from 0 to 65535');
    const help = command('up', '--help');
    expect((await help.exited).code).toBe(0);
    expect(help.stdout).toContain('Ctrl-C drains');
  });
});
