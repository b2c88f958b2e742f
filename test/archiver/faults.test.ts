import { afterAll, afterEach, beforeAll, describe, expect, test } from '@jest/globals';
import { within } from '../helpers/eventually.ts';
import { ArchiveStores, type Scene } from './archive-stores.ts';
import { type FaultMode, PortFaults } from './port-faults.ts';

const MINUTES_MS = 120_000;
const MODES: readonly FaultMode[] = ['refused', 'unanswered', 'killed before', 'killed after'];

let stores: ArchiveStores;
let scene: Scene | undefined;

beforeAll(async () => {
  stores = await ArchiveStores.open();
});
afterEach(() => scene?.end());
afterAll(() => stores.close());

/** A topic of which a part is archived already. */
async function begun(): Promise<Scene> {
  const each = await stores.scene();
  await each.append(4);
  const { archiver } = await each.running();
  await each.untilArchived(4);
  await archiver.stop(10_000);
  await each.append(10);
  return each;
}

/** Archives to the end, beside a rival or alone; returns whether the fault has happened. */
async function runWithFault(each: Scene, at: number, mode: FaultMode): Promise<boolean> {
  const faults = new PortFaults(at, mode, stores);
  const { archiver } = each.archiver({ log: faults.log, objects: faults.objects });
  const finished = async (): Promise<void> => {
    await archiver.start();
    await each.untilArchived(12);
    // What it does not archive by then another one does.
    if (!faults.isDead) await archiver.stop(2_000);
  };
  await within('the archiver has finished, or is dead', Promise.race([finished(), faults.dead]), 60_000);
  return faults.hasHappened;
}

/** Archives what is left, with an archiver that meets no fault. */
async function finish(each: Scene): Promise<void> {
  const { archiver } = await each.running({ batchSize: 1 });
  await each.untilArchived(each.appended.length);
  await archiver.stop(20_000);
}

async function expectWhole(each: Scene, what: string): Promise<void> {
  const archived = (await each.archived()).toSorted();
  expect({ what, findings: await each.findings(), archived }).toEqual({
    what,
    findings: [],
    archived: each.appended.toSorted(),
  });
}

describe.each(MODES)('an archiver of which one call is %s', (mode) => {
  test(
    'leaves a whole chain with every record once, whichever call it is',
    async () => {
      let at = 0;
      for (let hasHappened = true; hasHappened;) {
        at += 1;
        scene = await begun();
        hasHappened = await runWithFault(scene, at, mode);
        await finish(scene);
        await expectWhole(scene, `call ${at} is ${mode}`);
        await scene.end();
      }
      // As many as there are steps: the start alone has ten.
      expect(at).toBeGreaterThan(16);
    },
    MINUTES_MS,
  );

  test(
    'does no harm to a rival that archives the same partition, nor the rival to it',
    async () => {
      let at = 6;
      for (let hasHappened = true; hasHappened; at += 3) {
        scene = await begun();
        const { archiver: rival } = await scene.running({ group: `rival-${scene.topic.name}`, batchSize: 3 });
        hasHappened = await runWithFault(scene, at, mode);
        await rival.stop(20_000);
        await finish(scene);
        await expectWhole(scene, `call ${at} is ${mode} beside a rival`);
        await scene.end();
      }
    },
    MINUTES_MS,
  );
});
