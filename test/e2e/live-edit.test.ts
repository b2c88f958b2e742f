import { afterEach, beforeEach, expect, test } from '@jest/globals';
import { createWorkspace, type RunningPlatform, startPlatform, type Workspace } from '../helpers/command.ts';

let workspace: Workspace;
let platform: RunningPlatform;

beforeEach(async () => {
  workspace = await createWorkspace(2);
  platform = await startPlatform(workspace);
});

afterEach(async () => {
  await platform.run.stop('SIGKILL');
  await workspace.remove();
});

async function usableMembers(): Promise<number> {
  const metrics = await (await fetch(`${platform.metricsUrl}/metrics`)).text();
  return Number(/^mini_platform_members\{state="usable"\} (\d+)$/m.exec(metrics)?.[1]);
}

/** Pays without pause, 16 at a time, until it is told to stop; resolves to how many answers of each kind came. */
function startLoad(): { stop(): Promise<ReadonlyMap<string, number>> } {
  const answers = new Map<string, number>();
  let running = true;
  const loop = async (): Promise<void> => {
    while (running) {
      const answer = await fetch(`${platform.url}/transaction`, {
        method: 'POST',
        headers: { 'content-type': 'application/json' },
        body: JSON.stringify({ sender: 'alice', receiver: 'bob', amount: 1 }),
      }).then(
        async (response) => {
          await response.arrayBuffer();
          return String(response.status);
        },
        (error: unknown) => String(error),
      );
      answers.set(answer, (answers.get(answer) ?? 0) + 1);
    }
  };
  const loops = Array.from({ length: 16 }, loop);
  return {
    async stop() {
      running = false;
      await Promise.all(loops);
      return answers;
    },
  };
}

test('workers join and leave under load without one failed request', async () => {
  const load = startLoad();
  for (const [from, to] of [
    [2, 5],
    [5, 1],
    [1, 3],
    [3, 2],
  ]) {
    await workspace.write(to ?? 0);
    await platform.run.printed(new RegExp(`Scaling from ${from} to ${to} workers[^]*${to} of ${to} joined`));
    expect(await usableMembers()).toBe(to);
  }
  const answers = await load.stop();
  expect([...answers.keys()]).toEqual(['201']);
  expect(platform.run.stderr).toBe('');
});

test('without workers a request gets 503 at once, and is served again when there are some', async () => {
  await workspace.write(0);
  await platform.run.printed(/0 of 0 joined/);
  const refused = await fetch(`${platform.url}/fetch/all/alice`);
  expect(refused.status).toBe(503);
  expect(refused.headers.get('retry-after')).toBe('1');
  expect(await refused.json()).toMatchObject({ code: 'NOT_ATTEMPTED' });
  expect((await fetch(`${platform.url}/readyz`)).status).toBe(503);
  await workspace.write(1);
  await platform.run.printed(/1 of 1 joined/);
  expect((await fetch(`${platform.url}/fetch/all/alice`)).status).toBe(200);
  expect((await fetch(`${platform.url}/readyz`)).status).toBe(200);
});

test('a mistake is reported with its line and the last good state stays', async () => {
  await workspace.write(-3);
  await platform.run.printed(/bank\.yaml:9:\d+: spec\.worker\.replicas: .*from 0 to 100/);
  await platform.run.printed(/runs on as it was/);
  expect(await usableMembers()).toBe(2);
  await workspace.write(3, '  paused: true\n');
  await platform.run.printed(/These changes need a restart: spec\.paused/);
  await platform.run.printed(/3 of 3 joined/);
  expect(await usableMembers()).toBe(3);
});
