import { afterEach, beforeEach, describe, expect, test } from '@jest/globals';
import type {
  Applicant,
  DispatcherDirectory,
  MemberDirectory,
  MemberListener,
  MemberRecord,
} from '../../runtime/ports/membership.ts';
import { expectPortError, Observed } from './waiting.ts';

/** A source of truth under test, with a dispatcher's and perhaps a worker's view of it. */
export interface MembershipHarness {
  readonly members: MemberDirectory;
  /** Another dispatcher's view. */
  connect(): Promise<MemberDirectory>;
  /** Makes a worker that may be a member; resolves to what it presents, and the record it will have. */
  createWorker(): Promise<{ readonly applicant: Applicant; readonly record: MemberRecord }>;
  /** What a worker would present that the source of truth does not know. */
  stranger(): Applicant;
  /** Takes a worker's place away. */
  deleteWorker(uid: string): Promise<void>;
  /** A worker's view, and how dispatchers come and go. */
  readonly worker?: {
    readonly uid: string;
    readonly dispatchers: DispatcherDirectory;
    announce(address: string): Promise<void>;
    withdraw(address: string): Promise<void>;
  };
  dispose(): Promise<void>;
}

/** Runs the membership contract on an adapter. */
export function describeMembership(name: string, open: () => Promise<MembershipHarness>): void {
  describe(`membership: ${name}`, () => {
    let harness: MembershipHarness;
    let members: MemberDirectory;

    beforeEach(async () => {
      harness = await open();
      members = harness.members;
    });

    afterEach(async () => {
      await harness.dispose();
    });

    test('admits a worker that is known, at the address that the source of truth names', async () => {
      const { applicant, record } = await harness.createWorker();
      expect(await members.admit(applicant)).toEqual({ outcome: 'admitted', member: record });
      expect(await members.admit({ ...applicant, bootId: 'another' })).toEqual({
        outcome: 'admitted',
        member: record,
      });
    });

    test('admits no stranger, and says why', async () => {
      const admission = await members.admit(harness.stranger());
      expect(admission).toMatchObject({ outcome: 'unauthenticated' });
      expect(admission.outcome === 'unauthenticated' && admission.message.length > 0).toBe(true);
    });

    test('admits a worker no more whose place is gone', async () => {
      const { applicant } = await harness.createWorker();
      await members.admit(applicant);
      await harness.deleteWorker(applicant.uid);
      expect(['unauthenticated', 'retry']).toContain((await members.admit(applicant)).outcome);
    });

    test('tells those who watch of members that come and go, on every dispatcher', async () => {
      const other = await harness.connect();
      const [here, there] = [new Watch(), new Watch()];
      members.watch(here);
      other.watch(there);
      const { applicant, record } = await harness.createWorker();
      await members.admit(applicant);
      await here.seen.until('added here', (seen) => seen.includes(`+${record.uid} ${record.address}`));
      await there.seen.until('added there', (seen) => seen.includes(`+${record.uid} ${record.address}`));
      await harness.deleteWorker(applicant.uid);
      await here.seen.until('removed here', (seen) => seen.includes(`-${record.uid}`));
      await there.seen.until('removed there', (seen) => seen.includes(`-${record.uid}`));
      await other.close();
    });

    test('tells those who watch later of the members there are, not of those that are gone', async () => {
      const [stays, goes] = [await harness.createWorker(), await harness.createWorker()];
      await members.admit(stays.applicant);
      await members.admit(goes.applicant);
      const first = new Watch();
      members.watch(first);
      await harness.deleteWorker(goes.record.uid);
      await first.seen.until('the removal', (seen) => seen.includes(`-${goes.record.uid}`));
      const late = new Watch();
      members.watch(late);
      await late.seen.count('the one that stays', 1);
      expect(late.seen.items).toEqual([`+${stays.record.uid} ${stays.record.address}`]);
    });

    test('tells nothing once a watch has ended', async () => {
      const [ended, running] = [new Watch(), new Watch()];
      const stop = members.watch(ended);
      members.watch(running);
      stop();
      const { applicant, record } = await harness.createWorker();
      await members.admit(applicant);
      await running.seen.until('the addition', (seen) => seen.includes(`+${record.uid} ${record.address}`));
      expect(ended.seen.items).toEqual([]);
      stop();
    });

    test('ends watches when it is closed, and admits with closed', async () => {
      const { applicant } = await harness.createWorker();
      const other = await harness.connect();
      const [ended, running] = [new Watch(), new Watch()];
      members.watch(ended);
      other.watch(running);
      await members.close();
      await expectPortError(members.admit(applicant), 'closed');
      await other.admit(applicant);
      await running.seen.count('the addition', 1);
      expect(ended.seen.items).toEqual([]);
      await other.close();
    });

    describe('for a worker', () => {
      test('says who it is, and is admitted as such', async () => {
        if (harness.worker === undefined) return;
        const { uid, token } = await harness.worker.dispatchers.identity();
        expect(uid).toBe(harness.worker.uid);
        const admission = await members.admit({ uid, token, bootId: 'boot', port: 4_000 });
        expect(admission).toMatchObject({ outcome: 'admitted', member: { uid } });
      });

      test('tells all addresses of dispatchers now and at each change', async () => {
        if (harness.worker === undefined) return;
        const { worker } = harness;
        await worker.announce('127.0.0.1:1001');
        const seen = new Observed<string>();
        const stop = worker.dispatchers.watch((addresses) => seen.push(addresses.toSorted().join()));
        await seen.until('the first', (items) => items.at(-1) === '127.0.0.1:1001');
        await worker.announce('127.0.0.1:1002');
        await seen.until('both', (items) => items.at(-1) === '127.0.0.1:1001,127.0.0.1:1002');
        await worker.withdraw('127.0.0.1:1001');
        await seen.until('the second', (items) => items.at(-1) === '127.0.0.1:1002');
        stop();
        const count = seen.items.length;
        const later = new Observed<string>();
        worker.dispatchers.watch((addresses) => later.push(addresses.join()));
        await worker.withdraw('127.0.0.1:1002');
        await later.until('none', (items) => items.at(-1) === '');
        expect(seen.items).toHaveLength(count);
      });

      test('has no identity once it is closed', async () => {
        if (harness.worker === undefined) return;
        await harness.worker.dispatchers.close();
        await expectPortError(harness.worker.dispatchers.identity(), 'closed');
      });
    });
  });
}

/** Notes what a watch tells: `+uid address` and `-uid`. */
class Watch implements MemberListener {
  readonly seen = new Observed<string>();

  added({ uid, address }: MemberRecord): void {
    this.seen.push(`+${uid} ${address}`);
  }

  removed(uid: string): void {
    this.seen.push(`-${uid}`);
  }
}
