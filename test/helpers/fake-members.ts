import type { Outcome } from '../../runtime/domain-kit/outcome.ts';
import { toWire } from '../../runtime/domain-kit/outcome-wire.ts';
import type { OutgoingOperation } from '../../runtime/link/link-client.ts';
import type { Member } from '../../runtime/roles/dispatcher/member.ts';
import type { Choice, Wanted } from '../../runtime/roles/dispatcher/members.ts';
import { fakeOf } from './fakes.ts';

type Answering = (sent: OutgoingOperation) => Outcome<Uint8Array> | Promise<Outcome<Uint8Array>>;

/** What reached a member. */
export interface Sent extends OutgoingOperation {
  readonly member: string;
}

/** Members that a test answers for, asked in the order in which they were added. */
export class FakeMembers {
  readonly sent: Sent[] = [];
  readonly wanted: Wanted[] = [];
  /** Why nobody is chosen, where members have joined. */
  isFull = false;
  readonly #members: Member[] = [];

  add(uid: string, answer: Answering): void {
    const member = fakeOf<Member>({
      record: { uid, address: '' },
      send: async (operation) => {
        this.sent.push({ ...operation, member: uid });
        return toWire(await answer(operation));
      },
    });
    this.#members.push(member);
  }

  choose(wanted: Wanted): Choice {
    this.wanted.push(wanted);
    const member = this.#members.find(({ record }) => record.uid !== wanted.except);
    if (member === undefined) return { none: 'no-member' };
    return this.isFull ? { none: 'full' } : { member };
  }
}
