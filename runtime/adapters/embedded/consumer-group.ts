import type { PartitionDelivery } from './partition-delivery.ts';
import type { TopicRow } from './thread-protocol.ts';

/** A member of a group, as the group sees it. */
export interface GroupMember {
  readonly topics: readonly TopicRow[];
  /** Begins to deliver a partition. */
  start(topic: TopicRow, partition: number): PartitionDelivery;
}

interface Slot {
  readonly topic: TopicRow;
  readonly partition: number;
  wanted: GroupMember | undefined;
  owner: { readonly member: GroupMember; readonly delivery: PartitionDelivery } | undefined;
  moving: boolean;
}

/**
 * Spreads partitions over the members of a group, in turn. When a member joins or leaves, what changes hands
 * does so partition by partition: the old owner's handler finishes first, then the new owner starts.
 */
export class ConsumerGroup {
  readonly #members: GroupMember[] = [];
  readonly #slots = new Map<string, Slot>();

  join(member: GroupMember): void {
    this.#members.push(member);
    for (const topic of member.topics) this.#addSlots(topic);
    this.#assign();
  }

  /** Takes the member's partitions away. Resolves when the last of its handlers has ended. */
  async leave(member: GroupMember): Promise<void> {
    const place = this.#members.indexOf(member);
    if (place >= 0) this.#members.splice(place, 1);
    const owned = [...this.#slots.values()].filter(({ owner }) => owner?.member === member);
    this.#assign();
    await Promise.all(owned.flatMap(({ owner }) => (owner === undefined ? [] : [owner.delivery.stop()])));
  }

  #addSlots(topic: TopicRow): void {
    for (let partition = 0; partition < topic.partitions; partition++) {
      const key = `${topic.id}.${partition}`;
      if (this.#slots.has(key)) continue;
      this.#slots.set(key, { topic, partition, wanted: undefined, owner: undefined, moving: false });
    }
  }

  #assign(): void {
    for (const slot of this.#slots.values()) {
      const candidates = this.#members.filter(({ topics }) => topics.some(({ id }) => id === slot.topic.id));
      slot.wanted = candidates[slot.partition % candidates.length];
      void this.#move(slot);
    }
  }

  /** Nothing in here rejects: starting is synchronous, and a delivery reports its failures itself. */
  async #move(slot: Slot): Promise<void> {
    if (slot.moving) return;
    slot.moving = true;
    while (slot.owner?.member !== slot.wanted) {
      if (slot.owner !== undefined) {
        await slot.owner.delivery.stop();
        slot.owner = undefined;
      } else if (slot.wanted !== undefined) {
        const member = slot.wanted;
        slot.owner = { member, delivery: member.start(slot.topic, slot.partition) };
      }
    }
    slot.moving = false;
  }
}
